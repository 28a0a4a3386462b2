//! What the dialogs are made of. Agents' text goes in as text, never as markup; headings are ours.

use gtk::glib;
use gtk::prelude::*;

use crate::dialogs::question::Section;
use countersign_model::visible;

/// The margin around a dialog and between its parts, in pixels.
pub(super) const SPACE: i32 = 16;
/// How wide a dialog is, in pixels.
const WIDTH: i32 = 600;
/// How tall the call may be before it scrolls, in pixels.
const CALL_HEIGHT: i32 = 320;

const STYLE: &[u8] = b"
.countersign-tool { font-family: monospace; font-weight: bold; font-size: 1.35em; }
.countersign-heading { font-weight: bold; font-size: 1.15em; }
.countersign-small { font-size: 0.92em; }
.countersign-call { border: 1px solid alpha(currentColor, 0.22); border-radius: 6px; background-color: @theme_base_color; }
.countersign-call textview, .countersign-call textview text { background-color: transparent; color: @theme_text_color; }
.countersign-call .countersign-part { border-bottom: 1px solid alpha(currentColor, 0.12); }
.countersign-behind { border-radius: 9px; padding: 1px 9px; background-color: alpha(currentColor, 0.12); font-size: 0.92em; }
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
        let word = text(word, Some("dim-label"));
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
        let heading = text(section.heading, Some("dim-label"));
        heading.style_context().add_class("countersign-small");
        heading.set_margin_start(10);
        heading.set_margin_top(6);
        part.add(&heading);
        part.add(&block(&section.text));
        if place + 1 < sections.len() {
            part.style_context().add_class("countersign-part");
        }
        parts.add(&part);
    }
    let scroller = gtk::ScrolledWindow::new(gtk::Adjustment::NONE, gtk::Adjustment::NONE);
    scroller.set_policy(gtk::PolicyType::Never, gtk::PolicyType::Automatic);
    scroller.set_propagate_natural_height(true);
    scroller.set_max_content_height(CALL_HEIGHT);
    scroller.set_overlay_scrolling(false);
    scroller.set_can_focus(true);
    scroller.style_context().add_class("countersign-call");
    scroller.add(&parts);
    scroller
}

/// The agent's text, monospaced, to the letter; characters that would not be seen are spelled out and set off.
fn block(words: &str) -> gtk::TextView {
    let view = gtk::TextView::new();
    view.set_editable(false);
    view.set_cursor_visible(false);
    view.set_can_focus(false);
    view.set_accepts_tab(false);
    view.set_monospace(true);
    view.set_wrap_mode(gtk::WrapMode::WordChar);
    view.set_left_margin(10);
    view.set_right_margin(10);
    view.set_bottom_margin(10);
    // A line that goes on is indented, so that it does not look like a new one.
    view.set_indent(-14);
    view.set_pixels_above_lines(1);
    view.set_pixels_below_lines(1);
    view.set_tabs(&tabs_of(&view));
    let Some(buffer) = view.buffer() else { return view };
    let mark = gtk::TextTag::builder()
        .weight(700)
        .foreground("#ffffff")
        .background("#b3261e")
        .build();
    if let Some(tags) = buffer.tag_table() {
        tags.add(&mark);
    }
    for segment in visible::segments(words) {
        let start = buffer.end_iter().offset();
        buffer.insert(&mut buffer.end_iter(), &segment.text);
        if segment.mark {
            buffer.apply_tag(&mark, &buffer.iter_at_offset(start), &buffer.end_iter());
        }
    }
    view
}

/// Tabs as wide as four blanks: eight take too much of a narrow dialog.
fn tabs_of(view: &gtk::TextView) -> gtk::pango::TabArray {
    let (blanks, _) = view.create_pango_layout(Some("    ")).pixel_size();
    let mut tabs = gtk::pango::TabArray::new(1, true);
    tabs.set_tab(0, gtk::pango::TabAlign::Left, blanks.max(8));
    tabs
}

/// The row of answers: what ends things on the left, a word to the agent, the others on the right.
pub(super) fn answers(left: Option<&gtk::Button>, note: &gtk::Entry, right: &[&gtk::Button]) -> gtk::Box {
    let row = buttons(right);
    if let Some(button) = left {
        row.pack_start(button, false, false, 0);
    }
    row.pack_start(note, true, true, 0);
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
    tick.set_tooltip_text(Some(
        "The agent keeps this from now on; it is taken back in its own settings",
    ));
    tick
}

/// A button that says what it does.
pub(super) fn button(word: &str, meaning: &str) -> gtk::Button {
    let button = gtk::Button::with_label(word);
    button.set_tooltip_text(Some(meaning));
    button.set_can_default(false);
    button
}
