//! Where the hub is: what `--url` says, or the `hub.json` that a running hub keeps in its data folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use countersign_hub::{Clock, SystemClock};
use countersign_server::{Role, TokenWish};
use serde::Deserialize;

use super::{Address, HubError};

/// Where to look for a hub.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Given by `--url` or `COUNTERSIGN_URL`.
    pub(crate) url: Option<Address>,
    /// The data folder.
    pub(crate) data_dir: PathBuf,
    /// Whether the command line or the environment named it.
    pub(crate) data_dir_given: bool,
    /// Given by `--token` or `COUNTERSIGN_TOKEN`.
    pub(crate) token: Option<String>,
}

/// A hub's address, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The address.
    pub(crate) url: Address,
    /// The `hub.json` that named it; `None` when it was given.
    pub(crate) file: Option<PathBuf>,
}

/// What a running hub writes beside its data.
#[derive(Deserialize)]
struct HubFile {
    url: Option<String>,
    #[serde(default)]
    listeners: Vec<String>,
    #[serde(default)]
    auth: String,
}

impl HubFile {
    fn addresses(&self) -> impl Iterator<Item = Address> {
        self.url
            .iter()
            .chain(&self.listeners)
            .filter_map(|text| text.parse().ok())
    }
}

impl Place {
    fn file(&self) -> PathBuf {
        self.data_dir.join("hub.json")
    }

    /// The hub's address. The file is read anew each time: a hub that was restarted may have another port.
    pub(crate) fn find(&self) -> Result<Found, HubError> {
        if let Some(url) = &self.url {
            return Ok(Found {
                url: url.clone(),
                file: None,
            });
        }
        let file = self.file();
        let unreadable = |reason: String| HubError::Unreadable {
            file: file.clone(),
            reason,
        };
        let Some(text) = read(&file).map_err(|error| unreadable(error.to_string()))? else {
            return Err(HubError::NotRunning { file });
        };
        let hub: HubFile = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        let Some(url) = hub.addresses().next() else {
            return Err(HubError::NoListener { file });
        };
        Ok(Found { url, file: Some(file) })
    }

    /// What to show the hub at `url`: the token that was given; or, where it lets nobody in without one, a token made with
    /// the secret in its data folder, for a peer without the approver's right, or else the approver's key.
    pub(crate) fn token(&self, url: &Address) -> Option<String> {
        if self.token.is_some() {
            return self.token.clone();
        }
        if self.hub_at(url)?.auth != "required" {
            return None;
        }
        let wish = TokenWish {
            roles: vec![Role::Agent, Role::Monitor],
            streams: Vec::new(),
            subject: Some("countersign".to_owned()),
            ttl: 24 * 60 * 60,
        };
        match countersign_server::sign_in_folder(&self.data_dir, &wish, SystemClock.now()) {
            Ok(token) => Some(token),
            Err(_) => self.approver_token(url),
        }
    }

    /// Whether the hub at `url` lets nobody in without a token, as far as its data folder says.
    pub(crate) fn requires_token(&self, url: &Address) -> bool {
        self.hub_at(url).is_some_and(|hub| hub.auth == "required")
    }

    /// What the data folder says of the hub at `url`, if it is the one that uses it.
    fn hub_at(&self, url: &Address) -> Option<HubFile> {
        let text = read(&self.file()).ok()??;
        let hub: HubFile = serde_json::from_str(&text).ok()?;
        let ours = hub.addresses().any(|address| address.same_door(url));
        ours.then_some(hub)
    }

    /// The key that a headless hub leaves in its data folder, if there is one and it is that of the hub at `url`.
    /// A key is not shown to an address that it does not belong to.
    pub(crate) fn approver_token(&self, url: &Address) -> Option<String> {
        self.hub_at(url)?;
        let token = read(&self.data_dir.join("approver.token")).ok()??;
        let token = token.trim();
        (!token.is_empty()).then(|| token.to_owned())
    }
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: Option<&str>, files: &[(&str, &str)]) -> (tempfile::TempDir, Place) {
        let home = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(home.path().join(name), text).expect("written");
        }
        let place = Place {
            url: url.map(|text| text.parse().expect("an address")),
            data_dir: home.path().to_owned(),
            data_dir_given: true,
            token: None,
        };
        (home, place)
    }

    #[test]
    fn the_file_says_where_unless_the_command_line_does() {
        let file = [("hub.json", r#"{"url":"http://127.0.0.1:7001","listeners":[],"pid":1}"#)];
        let (_home, by_file) = place(None, &file);
        assert_eq!(by_file.find().expect("found").url.authority(), "127.0.0.1:7001");
        let (_home, by_flag) = place(Some("http://127.0.0.1:7002"), &file);
        let found = by_flag.find().expect("found");
        assert_eq!((found.url.authority().as_str(), found.file), ("127.0.0.1:7002", None));
    }

    #[test]
    fn a_hub_without_an_address_is_told_from_none_and_from_a_broken_file() {
        let (_home, none) = place(None, &[]);
        assert!(matches!(none.find(), Err(HubError::NotRunning { .. })));
        let (_home, deaf) = place(None, &[("hub.json", r#"{"url":null,"listeners":[]}"#)]);
        assert!(matches!(deaf.find(), Err(HubError::NoListener { .. })));
        let (_home, broken) = place(None, &[("hub.json", "{")]);
        assert!(matches!(broken.find(), Err(HubError::Unreadable { .. })));
    }

    #[test]
    fn the_key_goes_only_to_the_hub_that_it_belongs_to() {
        let files = [
            (
                "hub.json",
                r#"{"url":"http://127.0.0.1:7001","listeners":["http://127.0.0.1:7001"]}"#,
            ),
            ("approver.token", "sesame\n"),
        ];
        let (_home, place) = place(None, &files);
        let token = |url: &str| place.approver_token(&url.parse().expect("an address"));
        assert_eq!(token("http://127.0.0.1:7001").as_deref(), Some("sesame"));
        assert_eq!(token("http://localhost:7001").as_deref(), Some("sesame"));
        assert_eq!(token("http://127.0.0.1:7002"), None);
        assert_eq!(token("http://hub.example:7001"), None);
    }
}
