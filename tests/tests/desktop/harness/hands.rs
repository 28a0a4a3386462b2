//! Real keys and real clicks, through xdotool and the X server, and the windows that they go to.

use std::time::{Duration, Instant};

use countersign_tests::until;

use super::{Desk, Sight};

impl Desk {
    /// The windows on the screen whose title matches.
    pub(crate) fn windows(&self, title: &str) -> Vec<String> {
        let found = self.run("xdotool", &["search", "--onlyvisible", "--name", title]);
        found.lines().map(str::to_owned).collect()
    }

    /// Waits for a window on the screen and gives its id.
    pub(crate) fn window(&self, title: &str) -> String {
        until(&format!("a window {title}"), || self.windows(title).pop())
    }

    /// Waits until no window on the screen has this title.
    pub(crate) fn until_gone(&self, title: &str) {
        until(&format!("no window {title}"), || {
            self.windows(title).is_empty().then_some(())
        });
    }

    /// Waits until the window has the keyboard.
    pub(crate) fn until_focused(&self, window: &str) {
        until("the window has the focus", || (self.focused() == window).then_some(()));
    }

    /// Activates a window and clicks in it, with nothing in between.
    pub(crate) fn activate_and_click(&self, window: &str, (x, y): (i32, i32)) {
        let (x, y) = (x.to_string(), y.to_string());
        let click = ["mousemove", "--window", window, &x, &y, "click", "1"];
        self.run("xdotool", &[&["windowactivate", "--sync", window][..], &click].concat());
    }

    /// The window that has the keyboard.
    pub(crate) fn focused(&self) -> String {
        self.run("xdotool", &["getactivewindow"])
    }

    /// Waits until the window with exactly this title has the keyboard and, after that, shows what `wanted` wants. Keys that are
    /// pressed earlier go elsewhere; and getting the keyboard makes a dialog inert, so a look before that proves nothing.
    pub(crate) fn see_focused(&self, title: &str, what: &str, wanted: impl Fn(&Sight) -> bool) -> Sight {
        let exactly = format!("^{title}$");
        let mut asked = Instant::now();
        until(&format!("{title} has the keyboard"), || {
            let windows = self.windows(&exactly);
            if windows.contains(&self.focused()) {
                return Some(());
            }
            // A window manager may leave the keyboard where somebody has just typed: a person then turns to the new window.
            if let Some(window) = windows.first()
                && asked.elapsed() > Duration::from_secs(2)
            {
                asked = Instant::now();
                self.run("xdotool", &["windowactivate", window]);
            }
            None
        });
        self.see(title, what, wanted)
    }

    /// Closes a window by the button in its title bar. A key of the window manager's may be lost: it takes them anew when the
    /// first key of a keyboard comes.
    pub(crate) fn close(&self, window: &str) {
        let (width, _) = self.size(window);
        self.click(window, (width - 10, -10));
    }

    /// Presses keys, one after the other, for whatever has the focus.
    pub(crate) fn press(&self, keys: &[&str]) {
        self.run("xdotool", &[&["key", "--delay", "5"], keys].concat());
    }

    /// Clicks at a place within a window.
    pub(crate) fn click(&self, window: &str, (x, y): (i32, i32)) {
        let (x, y) = (x.to_string(), y.to_string());
        self.run("xdotool", &["mousemove", "--window", window, &x, &y, "click", "1"]);
    }

    /// Presses keys and clicks, with nothing in between.
    pub(crate) fn press_and_click(&self, keys: &[&str], window: &str, (x, y): (i32, i32)) {
        let (x, y) = (x.to_string(), y.to_string());
        let click = ["mousemove", "--window", window, &x, &y, "click", "1"];
        self.run("xdotool", &[&["key", "--delay", "5"], keys, &click].concat());
    }

    /// Width and height of a window.
    pub(crate) fn size(&self, window: &str) -> (i32, i32) {
        let text = self.run("xdotool", &["getwindowgeometry", "--shell", window]);
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.and_then(|value| value.parse().ok())
                .unwrap_or_else(|| panic!("{name} in {text}"))
        };
        (number("WIDTH"), number("HEIGHT"))
    }
}
