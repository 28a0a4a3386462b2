//! A desk: an X server without a screen, a window manager, a session bus and a home folder, all gone when it is dropped.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_tests::{Folder, until};

/// Tests measure the inert time, so within a process they take turns. Across processes nextest's group does that.
static TURN: Mutex<()> = Mutex::new(());

/// A desktop without anybody at it.
pub(crate) struct Desk {
    folder: Folder,
    display: String,
    bus: String,
    /// In the order in which they end.
    programs: Vec<Child>,
    _turn: MutexGuard<'static, ()>,
}

impl Desk {
    /// Sets one up, with openbox managing its windows.
    pub(crate) fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::new();
        for name in ["home", "run"] {
            let path = folder.file(name);
            std::fs::create_dir(&path).expect("a folder");
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("a folder");
        }
        let mut desk = Self {
            folder,
            display: String::new(),
            bus: String::new(),
            programs: Vec::new(),
            _turn: turn,
        };
        // `-displayfd` picks a free number, so that no two tests, and no person, meet on one. Without `-noreset` the server starts
        // anew when its only client leaves, and takes one that is just coming with it.
        let screen = [
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ];
        let number = desk.serve("Xvfb", &screen);
        desk.display = format!(":{number}");
        // In a folder that goes away: killed, it leaves its socket behind.
        let address = format!("--address=unix:path={}", desk.file("run/bus").display());
        desk.bus = desk.serve("dbus-daemon", &["--session", "--nofork", "--print-address=1", &address]);
        desk.start("openbox", &[]);
        until("openbox manages the windows", || {
            let root = desk.run("xprop", &["-root", "_NET_SUPPORTING_WM_CHECK"]);
            root.contains("window id").then_some(())
        });
        desk
    }

    /// A program on this desk, not started yet.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("XDG_") || name.starts_with("COUNTERSIGN_") || name.to_lowercase().ends_with("_proxy") {
                command.env_remove(&*name);
            }
        }
        command
            .env_remove("WAYLAND_DISPLAY")
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("HOME", self.folder.file("home"))
            .env("XDG_RUNTIME_DIR", self.folder.file("run"))
            .env("GDK_BACKEND", "x11")
            .env("LC_ALL", "C.UTF-8")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .current_dir(self.folder.file("home"))
            .stdin(Stdio::null());
        command
    }

    /// Where the desk keeps its files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// Starts a program that stays until the desk goes, or until [`Desk::end`].
    pub(crate) fn start(&mut self, program: &str, arguments: &[&str]) {
        let mut command = self.command(program);
        command.args(arguments);
        self.keep(command);
    }

    /// Starts a command that stays until the desk goes.
    pub(crate) fn keep(&mut self, mut command: Command) {
        let name = Path::new(command.get_program())
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let log = self.log_of(&name);
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}", missing(&name, &error)));
        self.programs.insert(0, child);
    }

    /// The program that was started last.
    pub(crate) fn newest(&self) -> &Child {
        &self.programs[0]
    }

    /// Starts a server that says on its first line where it is.
    fn serve(&mut self, program: &str, arguments: &[&str]) -> String {
        let mut child = self
            .command(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(self.log_of(program))
            .spawn()
            .unwrap_or_else(|error| panic!("{}", missing(program, &error)));
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        self.programs.insert(0, child);
        BufReader::new(out).read_line(&mut line).expect("a line");
        assert!(
            !line.trim().is_empty(),
            "{program} did not start:\n{}",
            self.read_log(program)
        );
        line.trim().to_owned()
    }

    /// Runs a program to its end and gives what it printed, whatever its exit code.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{}", missing(program, &error)));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A picture of the whole screen, for a person who looks into a failure.
    pub(crate) fn picture(&self, path: &Path) {
        let path = path.display().to_string();
        self.run("import", &["-window", "root", &path]);
    }

    fn log_of(&self, name: &str) -> File {
        let path = self.file(&format!("{name}.log"));
        File::options().create(true).append(true).open(path).expect("a log")
    }

    /// What a program said so far.
    pub(crate) fn read_log(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(&format!("{name}.log"))).unwrap_or_default()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let folder = std::env::var_os("COUNTERSIGN_TEST_PICTURES").map(PathBuf::from);
            if let Some(folder) = folder {
                let name = std::thread::current().name().unwrap_or("desktop").replace("::", "-");
                self.picture(&folder.join(format!("{name}.png")));
            }
        }
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

fn missing(program: &str, error: &std::io::Error) -> String {
    format!(
        "{program}: {error}. The desktop tests need it: `cargo xtask test` installs it, `cargo xtask test --no-desktop` leaves \
         these tests out"
    )
}
