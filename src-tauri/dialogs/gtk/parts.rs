//! What the dialogs are made of. Agents' text goes in as text, never as markup; headings are ours.

use gtk::glib;
use gtk::prelude::*;

use crate::dialogs::markdown::{self, Kind, Style};
use crate::dialogs::sections::{Layout, Section};
use countersign_model::visible;

/// The margin around a dialog and between its parts, in pixels.
pub(super) const SPACE: i32 = 16;
/// How wide a dialog is, in pixels.
const WIDTH: i32 = 600;
/// How tall the call may be before it scrolls, in pixels: what the screen has room for beside the rest of the dialog, within these.
const CALL_HEIGHT: std::ops::RangeInclusive<i32> = 260..=900;
/// What the rest of a dialog takes, in pixels.
const REST_HEIGHT: i32 = 440;

const STYLE: &[u8] = b"
.countersign-tool { font-family: monospace; font-weight: bold; font-size: 1.35em; }
.countersign-question { font-weight: bold; }
.countersign-heading { font-weight: bold; font-size: 1.15em; }
.countersign-small { font-size: 0.92em; }
.countersign-call { border: 1px solid alpha(currentColor, 0.22); border-radius: 6px; background-color: @theme_base_color; }
.countersign-call textview, .countersign-call textview text { background-color: transparent; color: @theme_text_color; }
.countersign-call .countersign-part { border-bottom: 1px solid alpha(currentColor, 0.12); }
.countersign-behind { border-radius: 9px; padding: 1px 9px; background-color: alpha(currentColor, 0.12); font-size: 0.92em; }
.countersign-dim { color: alpha(@theme_fg_color, 0.78); }
button:focus, checkbutton:focus, radiobutton:focus { outline: 2px solid currentColor; outline-offset: -5px; }
.countersign-answers button { min-width: 92px; min-height: 30px; }
";

/// Loads the dialogs' style, once.
pub(super) fn style() {
    let provider = gtk::CssProvider::new();
    if let Err(error) = provider.load_from_data(STYLE) {
        tracing::warn!(%error, "the dialogs go without their style");
    }
    if let Some(screen) = gtk::gdk::Screen::default() {
        let priority = gtk::STYLE_PROVIDER_PRIORITY_APPLICATION;
        gtk::StyleContext::add_provider_for_screen(&screen, &provider, priority);
    }
}

/// A dialog's window: in front, modal to the main window when that is on the screen.
pub(super) fn window(parent: Option<&gtk::Window>, title: &str) -> gtk::Window {
    let window = gtk::Window::new(gtk::WindowType::Toplevel);
    window.set_title(title);
    window.set_icon(icon(128).as_ref());
    window.set_type_hint(gtk::gdk::WindowTypeHint::Dialog);
    window.set_default_size(WIDTH, -1);
    window.set_resizable(false);
    window.set_keep_above(true);
    window.set_urgency_hint(true);
    window.set_skip_taskbar_hint(false);
    if let Some(parent) = parent {
        window.set_transient_for(Some(parent));
        window.set_modal(true);
        window.set_position(gtk::WindowPosition::CenterOnParent);
    } else {
        window.set_position(gtk::WindowPosition::Center);
    }
    window
}

/// Takes a window away. Its `delete-event` comes later and destroys it.
pub(super) fn take_away(window: &gtk::Window) {
    window.hide();
    window.close();
}

/// The outermost box of a dialog.
pub(super) fn page() -> gtk::Box {
    let page = gtk::Box::new(gtk::Orientation::Vertical, SPACE);
    page.set_border_width(SPACE as u32 + 4);
    page.set_size_request(WIDTH, -1);
    page
}

/// Plain text that wraps.
pub(super) fn text(words: &str, class: Option<&str>) -> gtk::Label {
    let label = gtk::Label::new(None);
    label.set_text(words);
    label.set_xalign(0.0);
    label.set_line_wrap(true);
    label.set_line_wrap_mode(gtk::pango::WrapMode::WordChar);
    label.set_max_width_chars(64);
    if let Some(class) = class {
        label.style_context().add_class(class);
    }
    label
}

/// The program's mark.
pub(super) fn mark() -> gtk::Image {
    let image = gtk::Image::from_pixbuf(icon(48).as_ref());
    image.set_valign(gtk::Align::Start);
    image
}

fn icon(side: i32) -> Option<gtk::gdk_pixbuf::Pixbuf> {
    let bytes = glib::Bytes::from_static(include_bytes!("../../../icons/128x128.png"));
    let stream = gtk::gio::MemoryInputStream::from_bytes(&bytes);
    gtk::gdk_pixbuf::Pixbuf::from_stream_at_scale(&stream, side, side, true, gtk::gio::Cancellable::NONE)
        .inspect_err(|error| tracing::warn!(%error, "the mark could not be drawn"))
        .ok()
}

/// Facts in two columns: our word, the agent's value.
pub(super) fn facts(facts: &[(&str, String)]) -> gtk::Grid {
    let grid = gtk::Grid::new();
    grid.set_column_spacing(12);
    grid.set_row_spacing(3);
    for (row, (word, value)) in (0..).zip(facts) {
        let word = text(word, Some("countersign-dim"));
        word.set_valign(gtk::Align::Start);
        grid.attach(&word, 0, row, 1, 1);
        let value = text(value, None);
        value.set_hexpand(true);
        grid.attach(&value, 1, row, 1, 1);
    }
    grid
}

/// A call's parts, each under its heading, in one scroller that can have the focus without doing harm.
pub(super) fn call(sections: &[Section]) -> gtk::ScrolledWindow {
    let parts = gtk::Box::new(gtk::Orientation::Vertical, 0);
    for (place, section) in sections.iter().enumerate() {
        let part = gtk::Box::new(gtk::Orientation::Vertical, 2);
        let heading = text(section.heading, Some("countersign-dim"));
        heading.style_context().add_class("countersign-small");
        heading.set_margin_start(10);
        heading.set_margin_top(6);
        part.add(&heading);
        part.add(&block(section));
        if place + 1 < sections.len() {
            part.style_context().add_class("countersign-part");
        }
        parts.add(&part);
    }
    let scroller = scroller(&parts);
    scroller.set_can_focus(true);
    scroller.style_context().add_class("countersign-call");
    scroller
}

/// As tall as what is in it, and no taller than the screen has room for.
pub(super) fn scroller(inside: &gtk::Box) -> gtk::ScrolledWindow {
    let scroller = gtk::ScrolledWindow::new(gtk::Adjustment::NONE, gtk::Adjustment::NONE);
    scroller.set_policy(gtk::PolicyType::Never, gtk::PolicyType::Automatic);
    scroller.set_propagate_natural_height(true);
    scroller.set_max_content_height(call_height());
    scroller.set_overlay_scrolling(false);
    scroller.set_can_focus(false);
    scroller.add(inside);
    scroller
}

/// How tall a call may be on the screen where the person is.
fn call_height() -> i32 {
    let room = gtk::gdk::Display::default().and_then(|display| {
        let monitor = display.primary_monitor().or_else(|| display.monitor(0))?;
        Some(monitor.workarea().height() - REST_HEIGHT)
    });
    room.unwrap_or_default().clamp(*CALL_HEIGHT.start(), *CALL_HEIGHT.end())
}

/// The agent's text; characters that would not be seen are spelled out and set off.
fn block(section: &Section) -> gtk::TextView {
    let view = gtk::TextView::new();
    view.set_editable(false);
    view.set_cursor_visible(false);
    view.set_can_focus(false);
    view.set_accepts_tab(false);
    view.set_monospace(section.layout != Layout::Markdown);
    view.set_wrap_mode(gtk::WrapMode::WordChar);
    view.set_left_margin(10);
    view.set_right_margin(10);
    view.set_bottom_margin(10);
    // A line that goes on is indented, so that it does not look like a new one.
    view.set_indent(if section.layout == Layout::Markdown { 0 } else { -14 });
    view.set_pixels_above_lines(1);
    view.set_pixels_below_lines(1);
    view.set_tabs(&tabs_of(&view));
    let Some(buffer) = view.buffer() else { return view };
    let ink = Ink::new(&buffer);
    match section.layout {
        Layout::Text => ink.write(&section.text, &[]),
        Layout::Diff => {
            for (place, line) in section.text.split('\n').enumerate() {
                let tag = match line.as_bytes().first() {
                    Some(b'+') => "put",
                    Some(b'-') => "out",
                    _ => "kept",
                };
                ink.line(place, line, &[tag]);
            }
        }
        Layout::Markdown => {
            for (place, line) in markdown::lines(&section.text).into_iter().enumerate() {
                let kind = match line.kind {
                    Kind::Text => "text",
                    Kind::Heading(1) => "title",
                    Kind::Heading(_) => "heading",
                    Kind::Point(0) => "point",
                    Kind::Point(_) => "subpoint",
                    Kind::Quote => "quote",
                    Kind::Code => "code",
                };
                ink.line(place, "", &[]);
                for (style, words) in line.spans {
                    let style = match style {
                        Style::Plain => "text",
                        Style::Bold => "bold",
                        Style::Italic => "italic",
                        Style::Code => "code",
                    };
                    ink.write(words, &[kind, style]);
                }
            }
        }
    }
    view
}

/// Writes into a text, in the ways that the dialogs know.
struct Ink<'a>(&'a gtk::TextBuffer);

impl<'a> Ink<'a> {
    fn new(buffer: &'a gtk::TextBuffer) -> Self {
        let tag = |name: &str| gtk::TextTag::builder().name(name);
        let tags = [
            tag("text"),
            tag("kept"),
            tag("put").weight(600).paragraph_background_rgba(&shade(0.14)),
            tag("out").strikethrough(true).paragraph_background_rgba(&shade(0.07)),
            tag("title").weight(700).scale(1.25),
            tag("heading").weight(700).scale(1.08),
            tag("point").left_margin(24).indent(-14),
            tag("subpoint").left_margin(44).indent(-14),
            tag("quote").left_margin(24).style(gtk::pango::Style::Italic),
            tag("code").family("monospace"),
            tag("bold").weight(700),
            tag("italic").style(gtk::pango::Style::Italic),
            tag("mark").weight(700).foreground("#ffffff").background("#b3261e"),
        ];
        if let Some(table) = buffer.tag_table() {
            for tag in tags {
                table.add(&tag.build());
            }
        }
        Self(buffer)
    }

    /// A line of its own.
    fn line(&self, place: usize, words: &str, tags: &[&str]) {
        if place > 0 {
            self.0.insert(&mut self.0.end_iter(), "\n");
        }
        self.write(words, tags);
    }

    fn write(&self, words: &str, tags: &[&str]) {
        for segment in visible::segments(words) {
            let start = self.0.end_iter().offset();
            self.0.insert(&mut self.0.end_iter(), &segment.text);
            let mark = segment.mark.then_some("mark");
            for tag in tags.iter().copied().chain(mark) {
                let start = self.0.iter_at_offset(start);
                self.0.apply_tag_by_name(tag, &start, &self.0.end_iter());
            }
        }
    }
}

/// A grey that shows on light and dark alike.
fn shade(alpha: f64) -> gtk::gdk::RGBA {
    gtk::gdk::RGBA::new(0.5, 0.5, 0.5, alpha * 2.0)
}

/// Tabs as wide as four blanks: eight take too much of a narrow dialog.
fn tabs_of(view: &gtk::TextView) -> gtk::pango::TabArray {
    let (blanks, _) = view.create_pango_layout(Some("    ")).pixel_size();
    let mut tabs = gtk::pango::TabArray::new(1, true);
    tabs.set_tab(0, gtk::pango::TabAlign::Left, blanks.max(8));
    tabs
}

/// The row of answers: what ends things on the left, the others on the right.
pub(super) fn answers(left: Option<&gtk::Button>, right: &[&gtk::Button]) -> gtk::Box {
    let row = buttons(right);
    if let Some(button) = left {
        row.pack_start(button, false, false, 0);
    }
    row
}

/// Buttons on the right.
pub(super) fn buttons(right: &[&gtk::Button]) -> gtk::Box {
    let row = gtk::Box::new(gtk::Orientation::Horizontal, 8);
    row.style_context().add_class("countersign-answers");
    for button in right.iter().rev() {
        row.pack_end(*button, false, false, 0);
    }
    row
}

/// A line for the person's own words. Return in it does nothing.
pub(super) fn note(asks: &str, most: i32) -> gtk::Entry {
    let note = gtk::Entry::new();
    note.set_placeholder_text(Some(asks));
    note.set_max_length(most);
    note.set_width_chars(12);
    note.set_activates_default(false);
    note
}

/// Something to be chosen, not set, in words that wrap and are no markup.
pub(super) fn tick(words: &str) -> gtk::CheckButton {
    let tick = gtk::CheckButton::new();
    tick.add(&text(words, None));
    tick
}

/// A button that says what it does. For a screen reader: a dialog that opens under the pointer would open a tooltip at once, over the
/// other buttons.
pub(super) fn button(word: &str, meaning: &str) -> gtk::Button {
    let button = gtk::Button::with_label(word);
    if let Some(accessible) = button.accessible() {
        accessible.set_description(meaning);
    }
    button.set_can_default(false);
    button
}

/// Takes away a tooltip that some other window shows where a dialog now is.
pub(super) fn end_tooltips() {
    if let Some(display) = gtk::gdk::Display::default() {
        gtk::Tooltip::trigger_tooltip_query(&display);
    }
}
