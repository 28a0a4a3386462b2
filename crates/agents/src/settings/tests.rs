//! What connecting promises: twice is once, others' settings stay, what stands in the way is named.

mod any;

use super::*;

const PROGRAM: &str = "/opt/my apps/countersign";

fn wish(agent: Agent, telemetry: bool) -> Wish {
    Wish {
        command: command_line(Shell::Posix, PROGRAM, agent, &[]),
        http: None,
        telemetry: telemetry.then(|| Some("http://127.0.0.1:8765".to_owned())),
        version: None,
    }
}

fn check(kind: Kind, file: Option<&str>) -> String {
    for telemetry in [false, true] {
        let wish = wish(kind.agent(), telemetry);
        let connected = connect(kind, file, &wish).unwrap_or_else(|error| panic!("{error}: {file:?}"));
        assert_eq!(
            connect(kind, connected.as_deref(), &wish),
            Ok(connected.clone()),
            "twice"
        );
        assert_eq!(
            disconnect(kind, connected.as_deref()),
            Ok(file.map(str::to_owned)),
            "{connected:?}"
        );
    }
    put_in(kind, file, &wish(kind.agent(), false))
        .expect("connected")
        .unwrap_or_default()
}

#[test]
fn every_shape_of_an_empty_place_comes_back() {
    for kind in [Kind::ClaudeSettings, Kind::CodexHooks] {
        for file in [
            "",
            " ",
            "\n",
            "\r\n",
            "\u{feff}",
            "{}",
            "{ }",
            "{}\n",
            "{\n}\n",
            "{\r\n}\r\n",
            "\u{feff}{}",
            "{ /* c */ }",
            "{\n  // c\n}",
            r#"{"hooks":{}}"#,
            "{\"hooks\":{ }}",
            "{\n  \"hooks\": {\n  }\n}\n",
            "{\n\t\"hooks\": {},\n}",
            r#"{"hooks":{"PreToolUse":[]}}"#,
            "{\"hooks\":{\"PreToolUse\":[\n]},\"a\":1}",
            "{\"hooks\": {\"PreToolUse\": [ ], },}",
            "{\"env\":{}}",
            "{\"env\":{ },\"hooks\":{}}",
            "{\"a\": 1 // one\n}",
            "{\"a\": 1, // one\n}",
            "{\"a\": 1 /* , */ , // one\n // two\n}\n\n",
            "{\"a\": 1 /* x\n y */\n}",
            r#"{"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[{"type":"command","command":"guard"}]}]}}"#,
            "{\"hooks\":{\"PreToolUse\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"guard\"}]},],},}",
            r#"{"env":{"OTEL_LOGS_EXPORTER":"otlp","X":"1"},"model":"opus"}"#,
        ] {
            check(kind, Some(file));
        }
        check(kind, None);
    }
    for file in [
        "",
        "\n",
        "a = 1",
        "a = 1\n",
        "a = 1\r\nb = 2\r\n",
        "# c",
        "\u{feff}a = 1\n",
        "[a]\nb = 1\n\n\n",
        "[[hooks.Stop]]\nhooks = []\n",
    ] {
        for inline in [true, false] {
            check(Kind::CodexConfig(inline), Some(file));
        }
    }
    check(Kind::CodexConfig(true), None);
    check(Kind::CodexConfig(false), None);
}

#[test]
fn what_is_written_reads_like_a_persons() {
    let text = check(Kind::ClaudeSettings, Some("{\n  \"model\": \"opus\"\n}\n"));
    let lines: Vec<&str> = text.lines().take(5).collect();
    assert_eq!(
        lines,
        [
            "{",
            "  \"model\": \"opus\",",
            "  \"hooks\": {",
            r#"    "SessionStart": [ { "hooks": [{ "type": "command", "command": "'/opt/my apps/countersign' hook claude-code", "timeout": 10 }] } ],"#,
            r#"    "Setup": [ { "hooks": [{ "type": "command", "command": "'/opt/my apps/countersign' hook claude-code", "timeout": 10 }] } ],"#,
        ]
    );
    assert!(text.ends_with("\n  }\n}\n"), "{text}");
    let text = check(Kind::ClaudeSettings, None);
    assert!(
        text.starts_with("{\n  \"hooks\": {\n    \"SessionStart\": [ {") && text.ends_with("] } ]\n  }\n}\n"),
        "{text}"
    );
}

#[test]
fn a_question_has_a_day_and_the_rest_has_seconds() {
    let text = check(Kind::CodexHooks, None);
    let root: serde_json::Value = serde_json::from_str(&text).expect("strict JSON");
    let timeout = |event: &str| root["hooks"][event][0]["hooks"][0]["timeout"].clone();
    assert_eq!(timeout("PermissionRequest"), 86_400);
    assert_eq!(timeout("PostToolUse"), 10);
    assert_eq!(timeout("SessionEnd"), 3);
}

#[test]
fn a_file_that_was_made_for_telemetry_follows_the_hub() {
    let kind = Kind::CodexConfig(false);
    let to = |endpoint: &str| Wish {
        telemetry: Some(Some(endpoint.to_owned())),
        ..wish(Agent::Codex, false)
    };
    let first = connect(kind, None, &to("http://127.0.0.1:1")).expect("connected");
    let moved = connect(kind, first.as_deref(), &to("http://127.0.0.1:2")).expect("moved");
    assert!(
        moved
            .as_deref()
            .is_some_and(|text| text.contains(":2/") && !text.contains(":1/")),
        "{moved:?}"
    );
    assert_eq!(
        connect(kind, moved.as_deref(), &wish(Agent::Codex, false)),
        Ok(moved.clone())
    );
    assert_eq!(disconnect(kind, moved.as_deref()), Ok(None));
}

#[test]
fn an_older_program_gets_no_event_that_it_may_not_know() {
    let names = |version: Option<&str>| -> Vec<&str> { registered(Agent::ClaudeCode, version).collect() };
    assert_eq!(names(None), names(Some("2.1.197")));
    assert_eq!(names(Some("unknown")), names(None));
    let new = names(Some("2.1.330"));
    assert!(
        new.contains(&"PostModelSwitch") && new.contains(&"DirectoryAdded") && !names(None).contains(&"DirectoryAdded")
    );
    let old = names(Some("2.1.100"));
    assert!(
        !old.contains(&"PostToolBatch") && !old.contains(&"UserPromptExpansion") && old.contains(&"PermissionDenied")
    );
    assert!(names(Some("2.0.50")).contains(&"PermissionRequest") && !names(Some("2.0.50")).contains(&"Setup"));
    // Older than when it was connected.
    let wish = |version: &str| Wish {
        version: Some(version.to_owned()),
        ..wish(Agent::ClaudeCode, false)
    };
    let new = connect(Kind::ClaudeSettings, None, &wish("2.1.330"))
        .expect("connected")
        .expect("a file");
    let beside = Beside {
        version: Some("2.1.100"),
        ..Beside::default()
    };
    let found = look(Kind::ClaudeSettings, Some(&new), beside).expect("read");
    assert_eq!(
        found.iter().filter(|finding| finding.check == "version-events").count(),
        4,
        "{found:?}"
    );
    let older = connect(Kind::ClaudeSettings, Some(&new), &wish("2.1.100"))
        .expect("connected")
        .expect("a file");
    assert!(!older.contains("PostToolBatch") && older.contains("PreToolUse"));
    assert_eq!(
        connect(Kind::ClaudeSettings, Some(&older), &wish("2.1.330")).map(|again| again.map(|text| text.len())),
        Ok(Some(new.len()))
    );
}

#[test]
fn an_older_path_is_replaced_and_others_hooks_stay() {
    let file = r#"{"hooks": {
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "guard"}, {"type": "command", "command": "/old/countersign hook claude-code"}]}],
        "WorktreeCreate": [{"hooks": [{"type": "command", "command": "/old/countersign hook claude-code"}]}],
        "Stop": [{"hooks": [{"type": "command", "command": "echo countersign hook claude-code"}]}]
    }}"#;
    let connected = connect(Kind::ClaudeSettings, Some(file), &wish(Agent::ClaudeCode, false))
        .expect("connected")
        .expect("a file");
    assert!(!connected.contains("/old/countersign"), "{connected}");
    let mine: Vec<Entry> = entries(Kind::ClaudeSettings, &connected).expect("read");
    let ours = mine.iter().filter(|entry| entry.ours).count();
    assert_eq!(ours, registered(Agent::ClaudeCode, None).count());
    assert!(!mine.iter().any(|entry| entry.event == "WorktreeCreate"));
    let left = disconnect(Kind::ClaudeSettings, Some(&connected))
        .expect("left")
        .expect("a file");
    assert!(
        left.contains("\"guard\"}]") && left.contains("echo countersign hook claude-code"),
        "{left}"
    );
    assert_eq!(disconnect(Kind::ClaudeSettings, Some(file)), Ok(Some(left)));
}

#[test]
fn what_cannot_be_read_is_told_with_its_place_and_left_alone() {
    let check = |file: &str, expect: &str| {
        let error = connect(Kind::ClaudeSettings, Some(file), &wish(Agent::ClaudeCode, true)).expect_err(file);
        assert!(error.to_string().starts_with(expect), "{file}: {error}");
    };
    check("{\n  \"a\": \n}", "line 3, column 1:");
    check("[]", "line 1, column 1: the file is not an object");
    check("{\"hooks\": []}", "line 1, column 11: \"hooks\" is not an object");
    check(
        "{\"hooks\": {\"Stop\": {}}}",
        "line 1, column 20: \"Stop\" is not an array",
    );
    check(
        "{\"hooks\": {},\n \"hooks\": {}}",
        "line 2, column 2: \"hooks\" is there twice",
    );
    check("{'a': 1}", "line 1");
    check("{\"a\": 1} x", "line 1");
    check(&"[".repeat(100_000), "line 1, column 129: nested too deeply");
    let error = connect(
        Kind::CodexConfig(true),
        Some("a = 1\nb = \n"),
        &wish(Agent::Codex, true),
    )
    .expect_err("no TOML");
    assert!(error.to_string().starts_with("line 2"), "{error}");
}

#[test]
fn telemetry_of_others_is_named_and_not_overwritten() {
    let file = r#"{"env": {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example"}}"#;
    assert_eq!(
        connect(Kind::ClaudeSettings, Some(file), &wish(Agent::ClaudeCode, true)),
        Err(Trouble::OtherTelemetry(vec!["OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()]))
    );
    let file = "[otel]\nlog_user_prompt = true\n";
    assert!(matches!(
        connect(Kind::CodexConfig(false), Some(file), &wish(Agent::Codex, true)),
        Err(Trouble::OtherTelemetry(_))
    ));
}

#[test]
fn telemetry_goes_off_alone_and_moves_with_the_hub() {
    for (kind, before) in [
        (Kind::ClaudeSettings, "{\"env\": {\"A\": \"1\"}}"),
        (Kind::CodexConfig(true), "a = 1\n"),
    ] {
        let mut wish = wish(kind.agent(), false);
        let without = connect(kind, Some(before), &wish).expect("connected");
        wish.telemetry = Some(Some("http://127.0.0.1:1".to_owned()));
        let with = connect(kind, without.as_deref(), &wish).expect("connected");
        wish.telemetry = Some(Some("http://127.0.0.1:2/".to_owned()));
        let moved = connect(kind, with.as_deref(), &wish)
            .expect("connected")
            .expect("a file");
        assert!(
            moved.contains("http://127.0.0.1:2") && !moved.contains("127.0.0.1:1"),
            "{moved}"
        );
        wish.telemetry = None;
        assert_eq!(connect(kind, Some(&moved), &wish), Ok(Some(moved.clone())));
        wish.telemetry = Some(None);
        assert_eq!(connect(kind, Some(&moved), &wish), Ok(without));
    }
}

#[test]
fn what_codex_adds_behind_our_lines_stays() {
    let connected = connect(Kind::CodexConfig(true), Some("a = 1\n"), &wish(Agent::Codex, true))
        .expect("connected")
        .expect("a file");
    let grown = format!("{connected}\n[projects.\"/x\"]\ntrust_level = \"trusted\"\n");
    let left = disconnect(Kind::CodexConfig(true), Some(&grown))
        .expect("left")
        .expect("a file");
    assert_eq!(left, "a = 1\n\n[projects.\"/x\"]\ntrust_level = \"trusted\"\n");
}

#[test]
fn what_stands_in_the_way_is_named() {
    let codes = |kind: Kind, file: &str, beside: Beside<'_>| -> Vec<String> {
        let found = look(kind, Some(file), beside).expect("read");
        found.into_iter().map(|finding| finding.check).collect()
    };
    let file = r#"{"disableAllHooks": true, "permissions": {"defaultMode": "bypassPermissions"}, // c
        "hooks": {"PermissionRequest": [{"hooks": [{"type": "command", "command": "other"}]}],
                  "Stop": [{"matcher": "x", "hooks": [{"type": "command", "command": "/old/countersign hook claude-code"}]}]}}"#;
    let levels = [Level {
        rank: Rank::Managed,
        path: "/etc".to_owned(),
        text: r#"{"allowManagedHooksOnly": true}"#.to_owned(),
    }];
    let beside = Beside {
        program: Some("/new/countersign"),
        levels: &levels,
        ..Beside::default()
    };
    assert_eq!(
        codes(Kind::ClaudeSettings, file, beside),
        [
            "other-hook",
            "events",
            "other-path",
            "strict-json",
            "hooks-off",
            "managed",
            "asks-nobody"
        ]
    );
    let beside = Beside {
        config: Some("approval_policy = \"never\"\n[features]\nhooks = false\n[[hooks.Stop]]\nhooks = []\n"),
        requirements: Some("allow_managed_hooks_only = true\n[features]\nhooks = false\n"),
        ..Beside::default()
    };
    let file = r#"{"$schema": "x", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "a"}]}]}}"#;
    assert_eq!(
        codes(Kind::CodexHooks, file, beside),
        [
            "strict-json",
            "hooks-off",
            "asks-nobody",
            "two-places",
            "managed",
            "managed"
        ]
    );
}
