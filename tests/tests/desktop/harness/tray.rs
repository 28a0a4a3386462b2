//! The tray, as a host of trays would use it: what it shows, and clicks in its menu. It is on the bus whether there is a host or not.

use countersign_tests::until;

use super::Desk;
use super::gvariant::strings;

const ITEM: &str = "/org/ayatana/NotificationItem/tray_icon_tray_app_main";

/// The app's tray on a desk's bus.
pub(crate) struct Tray<'a> {
    desk: &'a Desk,
    name: String,
}

impl Desk {
    /// Waits for the tray.
    pub(crate) fn tray(&self) -> Tray<'_> {
        let bus = [
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.ListNames",
        ];
        let name = until("a tray on the bus", || {
            let names = strings(&self.call(bus[0], bus[1], bus[2], &[]));
            let mut names = names.into_iter().filter(|name| name.starts_with(':'));
            names.find(|name| !layout(self, name).is_empty())
        });
        Tray { desk: self, name }
    }

    /// A call on the session bus; empty when it failed.
    fn call(&self, name: &str, path: &str, method: &str, arguments: &[&str]) -> String {
        let fixed = [
            "call",
            "--session",
            "--timeout",
            "5",
            "--dest",
            name,
            "--object-path",
            path,
            "--method",
            method,
        ];
        self.run("gdbus", &[&fixed[..], arguments].concat())
    }
}

fn layout(desk: &Desk, name: &str) -> String {
    let menu = format!("{ITEM}/Menu");
    desk.call(
        name,
        &menu,
        "com.canonical.dbusmenu.GetLayout",
        &["0", "int32 -1", "@as []"],
    )
}

impl Tray<'_> {
    /// The items of its menu: their numbers and words.
    fn items(&self) -> Vec<(String, String)> {
        let layout = layout(self.desk, &self.name);
        let items = layout.split("<(").skip(1).filter_map(|item| {
            let (number, rest) = item.split_once(',')?;
            let (_, label) = rest.split_once("'label': <")?;
            Some((number.to_owned(), strings(label).into_iter().next()?))
        });
        items.collect()
    }

    /// The words in its menu.
    pub(crate) fn words(&self) -> Vec<String> {
        self.items().into_iter().map(|(_, words)| words).collect()
    }

    /// Waits until its menu says this.
    pub(crate) fn until_says(&self, words: &str) {
        until(&format!("the tray says {words:?}"), || {
            self.words().iter().any(|said| said == words).then_some(())
        });
    }

    /// The picture that it asks its host to show.
    pub(crate) fn icon(&self) -> String {
        let arguments = ["org.kde.StatusNotifierItem", "IconName"];
        let said = self
            .desk
            .call(&self.name, ITEM, "org.freedesktop.DBus.Properties.Get", &arguments);
        strings(&said).pop().unwrap_or_default()
    }

    /// Clicks an item of its menu.
    pub(crate) fn click(&self, words: &str) {
        let items = self.items();
        let (number, _) = items
            .iter()
            .find(|(_, said)| said == words)
            .unwrap_or_else(|| panic!("{words} in {items:?}"));
        let menu = format!("{ITEM}/Menu");
        self.desk.call(
            &self.name,
            &menu,
            "com.canonical.dbusmenu.Event",
            &[number, "clicked", "<''>", "0"],
        );
    }
}
