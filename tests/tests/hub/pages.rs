//! The programs of the documentation's pages, as printed there.

use std::path::Path;
use std::process::Command;

use countersign_tests::command::Running;
use countersign_tests::foreign::python;
use countersign_tests::hub::program;
use countersign_tests::{Folder, Hub, Output, until};
use serde_json::{Value, json};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/agents").join(name);
    std::fs::read_to_string(path).expect("the page")
}

/// The code blocks of a language.
fn programs(page: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once(&format!("\n```{language}\n")) {
        let (program, after) = after.split_once("\n```").expect("the block ends");
        found.push(format!("{program}\n"));
        rest = after;
    }
    found
}

fn waiting(hub: &Hub) -> Value {
    until("the program asks", || {
        let list = hub.get("/api/approvals?status=pending").json();
        list["approvals"].as_array().unwrap().first().cloned()
    })
}

/// Runs a program, answers what it asks, and gives how it ended.
fn answered(hub: &Hub, mut command: Command, decision: &Value) -> Output {
    command.env("COUNTERSIGN_URL", hub.url()).env("NO_COLOR", "1");
    let running = Running::start(command, "");
    let approval = waiting(hub);
    assert_eq!(
        (&approval["tool_name"], &approval["arguments"], &approval["agent"]),
        (&json!("deploy"), &json!({"to": "production"}), &json!("deployer"))
    );
    let path = format!("/api/approvals/{}/decision", approval["id"].as_str().unwrap());
    hub.post_as_approver(&path, decision).expect(200);
    running.finish()
}

/// Approve lets it go, anything else does not, and what it told is in the log.
fn check(program: impl Fn() -> Command, edits: bool, tells: bool) {
    let hub = Hub::start();
    let output = answered(&hub, program(), &json!({"decision": "approve"})).expect(0);
    assert!(
        output.out.lines().any(|line| line == "deploying to production"),
        "{}",
        output.out
    );
    if edits {
        let decision = json!({"decision": "approve", "arguments": {"to": "staging"}});
        let output = answered(&hub, program(), &decision).expect(0);
        assert!(
            output.out.lines().any(|line| line == "deploying to staging"),
            "{}",
            output.out
        );
    }
    let output = answered(&hub, program(), &json!({"decision": "deny", "message": "not today"})).expect(1);
    assert!(
        output.out.contains("not deployed") && !output.out.contains("deploying"),
        "{}",
        output.out
    );
    if tells {
        answered(&hub, program(), &json!({"decision": "stop"})).expect(2);
        let rows = hub.history();
        let told: Vec<_> = rows
            .iter()
            .filter(|row| row["agent"] == "deployer")
            .map(|row| &row["kind"])
            .collect();
        for kind in [
            "execution_started",
            "tool_call_start",
            "tool_call_end",
            "execution_completed",
        ] {
            assert!(told.iter().any(|told| *told == kind), "{kind} in {told:?}");
        }
    }
}

#[test]
fn the_python_program_runs_as_printed() {
    let folder = Folder::new();
    let blocks = programs(&page("python.md"), "python");
    let [text] = &blocks[..] else { panic!("one program") };
    let file = folder.write("ask.py", text);
    check(
        || {
            let mut command = python();
            command.arg(&file);
            command
        },
        true,
        true,
    );
}

#[test]
fn the_typescript_program_runs_as_printed() {
    let folder = Folder::new();
    let blocks = programs(&page("typescript.md"), "ts");
    let [text] = &blocks[..] else { panic!("one program") };
    let file = folder.write("ask.mts", text);
    // As Node does from 22.18 on: types go, everything else stays.
    let strip = "const [from, to] = process.argv.slice(1); const ts = require('typescript'); const fs = require('fs');\
        const options = { module: 'esnext', target: 'es2022', verbatimModuleSyntax: true, erasableSyntaxOnly: true };\
        fs.writeFileSync(to, ts.transpileModule(fs.readFileSync(from, 'utf8'), { compilerOptions: options }).outputText);";
    let stripped = folder.file("ask.mjs");
    let status = Command::new("node")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui"))
        .args(["-e", strip, "--"])
        .args([&file, &stripped])
        .status()
        .expect("node runs");
    assert!(status.success());
    check(
        || {
            let mut command = countersign_tests::foreign::node();
            command.arg(&stripped);
            command
        },
        true,
        true,
    );
}

#[test]
fn the_shell_programs_run_as_printed() {
    let folder = Folder::new();
    let blocks = programs(&page("shell.md"), "sh");
    let [with_countersign, with_curl] = &blocks[..] else {
        panic!("two programs")
    };
    std::os::unix::fs::symlink(program(), folder.file("countersign")).expect("a link");
    for (name, text, tells) in [("deploy.sh", with_countersign, true), ("curl.sh", with_curl, false)] {
        let file = folder.write(name, text);
        check(
            || {
                let mut command = Command::new("sh");
                let path = std::env::var_os("PATH").unwrap_or_default();
                let own = file.parent().expect("in a folder").to_owned();
                let folders = std::iter::once(own).chain(std::env::split_paths(&path));
                command
                    .arg(&file)
                    .env("PATH", std::env::join_paths(folders).expect("a path"))
                    .env_remove("COUNTERSIGN_TOKEN");
                countersign_tests::foreign::without_proxies(&mut command);
                command
            },
            false,
            tells,
        );
    }
}
