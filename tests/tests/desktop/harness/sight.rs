//! What a window shows, as a screen reader is told over AT-SPI: the words, which buttons can be pressed, what has the focus.

use countersign_tests::until;

use super::Desk;
use super::gvariant::{numbers, strings};

const REGISTRY: &str = "org.a11y.atspi.Registry";
const ROOT: &str = "/org/a11y/atspi/accessible/root";
const SENSITIVE: u32 = 24;
const SHOWING: u32 = 25;
const FOCUSED: u32 = 12;
const EDITABLE: u32 = 7;
const CHECKED: u32 = 4;
const ACTIVE: u32 = 1;

/// One thing in a window.
#[derive(Debug)]
pub(crate) struct Node {
    /// What kind of thing, in AT-SPI's words.
    pub(crate) role: String,
    /// A label's words, or a text's.
    pub(crate) words: String,
    /// Whether it can be pressed.
    pub(crate) sensitive: bool,
    /// Whether keys go to it.
    pub(crate) focused: bool,
    /// Whether a person writes in it.
    pub(crate) editable: bool,
    /// Whether it is ticked.
    pub(crate) checked: bool,
    /// Its middle, within its window, of what can be clicked.
    pub(crate) middle: (i32, i32),
}

/// Everything that a window shows.
#[derive(Debug)]
pub(crate) struct Sight(Vec<Node>);

impl Sight {
    /// The labels and texts, each on a line.
    pub(crate) fn words(&self) -> String {
        let texts = self
            .0
            .iter()
            .filter(|node| matches!(node.role.as_str(), "label" | "text"));
        texts.map(|node| node.words.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The buttons that a person sees, from left to right.
    pub(crate) fn buttons(&self) -> Vec<&Node> {
        let mut buttons: Vec<_> = self.0.iter().filter(|node| node.role == "push button").collect();
        buttons.sort_by_key(|node| node.middle);
        buttons
    }

    /// The words on the buttons, from left to right.
    pub(crate) fn button_words(&self) -> Vec<&str> {
        self.buttons().into_iter().map(|node| node.words.as_str()).collect()
    }

    /// The button with this word.
    pub(crate) fn button(&self, word: &str) -> &Node {
        let found = self.buttons().into_iter().find(|node| node.words == word);
        found.unwrap_or_else(|| panic!("no button {word} in {self:?}"))
    }

    /// What can be ticked, from top to bottom.
    pub(crate) fn ticks(&self) -> Vec<&Node> {
        let mut ticks: Vec<_> = self.0.iter().filter(|node| node.role == "check box").collect();
        ticks.sort_by_key(|node| node.middle.1);
        ticks
    }

    /// What is ticked or picked by this word.
    pub(crate) fn tick(&self, word: &str) -> &Node {
        let ticks = |node: &&Node| matches!(node.role.as_str(), "check box" | "radio button") && node.words == word;
        let found = self.0.iter().find(ticks);
        found.unwrap_or_else(|| panic!("no {word} to tick in {self:?}"))
    }

    /// The line for a person's own words: the last one.
    pub(crate) fn note(&self) -> &Node {
        let found = self.0.iter().rfind(|node| node.editable);
        found.unwrap_or_else(|| panic!("nothing to write in: {self:?}"))
    }

    /// Whether the button with this word is there and can be pressed. A window that is just opening shows some of it first.
    pub(crate) fn offers(&self, word: &str) -> bool {
        self.buttons().iter().any(|node| node.words == word && node.sensitive)
    }

    /// Whether a button can be pressed.
    pub(crate) fn is_open(&self) -> bool {
        self.buttons().iter().any(|node| node.sensitive)
    }
}

impl Desk {
    /// Looks at the window with exactly this title; none when no such window is there, or it went away meanwhile.
    pub(crate) fn look(&self, title: &str) -> Option<Sight> {
        let bus = Accessibility::of(self)?;
        let window = bus.window(title)?;
        let mut nodes = Vec::new();
        bus.walk(&window, &mut nodes)?;
        Some(Sight(nodes))
    }

    /// Waits until the program itself knows that its window with this title has the keyboard; the window manager knows it earlier.
    pub(crate) fn until_active(&self, title: &str) {
        until(&format!("{title} knows that it is active"), || {
            let bus = Accessibility::of(self)?;
            let window = bus.window(title)?;
            (bus.states(&window)? & (1 << ACTIVE) != 0).then_some(())
        });
    }

    /// Waits until the window with this title shows what `wanted` wants.
    pub(crate) fn see(&self, title: &str, what: &str, wanted: impl Fn(&Sight) -> bool) -> Sight {
        until(what, || self.look(title).filter(|sight| wanted(sight)))
    }
}

/// A thing's bus name and path.
type Reference = (String, String);

struct Accessibility<'a> {
    desk: &'a Desk,
    address: String,
}

impl<'a> Accessibility<'a> {
    fn of(desk: &'a Desk) -> Option<Self> {
        let arguments = [
            "call",
            "--session",
            "--dest",
            "org.a11y.Bus",
            "--object-path",
            "/org/a11y/bus",
            "--method",
        ];
        let said = desk.run("gdbus", &[&arguments[..], &["org.a11y.Bus.GetAddress"]].concat());
        let address = strings(&said).pop();
        assert!(
            address.is_some(),
            "there is no accessibility bus, and without it what a dialog says cannot be read: install at-spi2-core \
             (`cargo xtask test` does)"
        );
        Some(Self {
            desk,
            address: address?,
        })
    }

    fn call(&self, (name, path): &Reference, method: &str, arguments: &[&str]) -> Option<String> {
        let fixed = [
            "call",
            "--address",
            &self.address,
            "--dest",
            name,
            "--object-path",
            path,
            "--method",
            method,
        ];
        let said = self.desk.run("gdbus", &[&fixed[..], arguments].concat());
        (!said.is_empty()).then_some(said)
    }

    /// The window with exactly this title, if it is on the screen.
    fn window(&self, title: &str) -> Option<Reference> {
        let applications = self.children(&(REGISTRY.into(), ROOT.into()))?;
        let windows = applications
            .iter()
            .filter_map(|application| self.children(application))
            .flatten();
        windows.into_iter().find(|window| {
            let named = self.name(window).is_some_and(|name| name == title);
            named && self.states(window).is_some_and(|states| states & (1 << SHOWING) != 0)
        })
    }

    fn children(&self, of: &Reference) -> Option<Vec<Reference>> {
        let said = self.call(of, "org.a11y.atspi.Accessible.GetChildren", &[])?;
        let said = strings(&said);
        Some(
            said.chunks_exact(2)
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect(),
        )
    }

    fn name(&self, of: &Reference) -> Option<String> {
        let arguments = ["org.a11y.atspi.Accessible", "Name"];
        strings(&self.call(of, "org.freedesktop.DBus.Properties.Get", &arguments)?).pop()
    }

    fn states(&self, of: &Reference) -> Option<i64> {
        let said = self.call(of, "org.a11y.atspi.Accessible.GetState", &[])?;
        numbers(&said).first().copied()
    }

    fn walk(&self, at: &Reference, nodes: &mut Vec<Node>) -> Option<()> {
        let role = self.call(at, "org.a11y.atspi.Accessible.GetRoleName", &[])?;
        let role = strings(&role).pop()?;
        let states = self.states(at)?;
        if states & (1 << SHOWING) == 0 {
            return Some(());
        }
        let words = match role.as_str() {
            "text" => strings(&self.call(at, "org.a11y.atspi.Text.GetText", &["0", "int32 -1"])?).pop()?,
            _ => self.name(at)?,
        };
        let middle = match role.as_str() {
            "push button" | "check box" | "radio button" | "text" => {
                let said = self.call(at, "org.a11y.atspi.Component.GetExtents", &["1"])?;
                let [x, y, width, height] = numbers(&said)[..] else {
                    return None;
                };
                ((x + width / 2) as i32, (y + height / 2) as i32)
            }
            _ => (0, 0),
        };
        let has = |state: u32| states & (1 << state) != 0;
        nodes.push(Node {
            role,
            words,
            sensitive: has(SENSITIVE),
            focused: has(FOCUSED),
            editable: has(EDITABLE),
            checked: has(CHECKED),
            middle,
        });
        self.children(at)?.iter().try_for_each(|child| self.walk(child, nodes))
    }
}
