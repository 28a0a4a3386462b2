//! An authority that signs certificates for tests, made by the `openssl` command: no key is kept anywhere.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::hub::Folder;

/// Nothing of the machine's own configuration.
const CONFIG: &str = "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = authority\n[name]\nCN = An authority of a test\n\
    [authority]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = hash\n";

/// Who signs. Its files are removed with it.
#[derive(Debug)]
pub struct Authority(Folder);

/// A server's certificate and its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A fresh one, which nobody trusts yet.
    pub fn new() -> Self {
        let folder = Folder::new();
        folder.write("openssl.cnf", CONFIG);
        let authority = Self(folder);
        authority.openssl("req -config openssl.cnf -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem");
        authority
    }

    /// Its certificate: for who is to trust it.
    pub fn file(&self) -> PathBuf {
        self.0.file("ca.pem")
    }

    /// A certificate for a server of that name, as in `subjectAltName`: `IP:127.0.0.1`.
    pub fn signs(&self, name: &str) -> Certificate {
        let extensions =
            format!("subjectAltName = {name}\nbasicConstraints = CA:FALSE\nextendedKeyUsage = serverAuth\n");
        self.0.write("extensions", &extensions);
        self.openssl("req -config openssl.cnf -new -newkey rsa:2048 -nodes -keyout server.key -out server.csr");
        self.openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem",
        );
        Certificate {
            certificate: self.0.file("server.pem"),
            key: self.0.file("server.key"),
        }
    }

    fn openssl(&self, arguments: &str) {
        let said = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.0.file("."))
            .stdin(Stdio::null())
            .output()
            .expect("openssl is there: `cargo xtask setup`");
        let error = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "openssl {arguments}: {error}");
    }
}
