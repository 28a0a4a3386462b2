//! Connecting and disconnecting gives any settings file back to the byte.

use proptest::prelude::*;

use super::*;

/// White space and comments between tokens, of the kinds that people leave there.
fn gap() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just(String::new()),
        4 => Just(" ".to_owned()),
        4 => "\n {0,6}",
        2 => "\r\n\t{0,3}",
        1 => Just(" /* a, \"b\" } */ ".to_owned()),
        1 => Just(" // note, { \n  ".to_owned()),
        1 => Just("/**/".to_owned()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec!["hooks", "env", "model", "permissions", "$schema", "", "a b", "\\u0041", "é🦀", "a\\\"b"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["PreToolUse", "PermissionRequest", "Stop", "SessionEnd", "MyEvent"]).prop_map(str::to_owned),
    ]
}

fn container(open: char, close: char, children: Vec<(String, String, String)>, end: &str, comma: bool) -> String {
    let mut text = String::from(open);
    let count = children.len();
    for (place, (before, child, after)) in children.into_iter().enumerate() {
        text.push_str(&format!("{before}{child}{after}"));
        if place + 1 < count || comma {
            text.push(',');
        }
    }
    text.push_str(end);
    text.push(close);
    text
}

fn list(open: char, close: char, child: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    (prop::collection::vec((gap(), child, gap()), 0..4), gap(), any::<bool>())
        .prop_map(move |(children, end, comma)| container(open, close, children, &end, comma))
}

fn object(fields: Vec<(String, String, String, String)>, end: &str, comma: bool) -> String {
    let mut known = std::collections::HashSet::new();
    let children = fields
        .into_iter()
        .filter(|(_, name, _, _)| {
            // Names that mean the same are the same name twice.
            known.insert(serde_json::from_str::<String>(&format!("\"{name}\"")).expect("a name"))
        })
        .map(|(before, name, value, after)| (before, format!("\"{name}\":{value}"), after))
        .collect();
    container('{', '}', children, end, comma)
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "-2.5e3",
        "true",
        "null",
        "\"a, }\"",
        "\"\"",
        "\"\\\"\"",
        "\"// no\"",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            list('[', ']', inner.clone()),
            (
                prop::collection::vec((gap(), name(), inner, gap()), 0..4),
                gap(),
                any::<bool>()
            )
                .prop_map(|(fields, end, comma)| object(fields, &end, comma)),
        ]
    })
}

fn handler() -> impl Strategy<Value = String> {
    (gap(), gap()).prop_map(|(a, b)| format!("{{{a}\"type\":{b}\"command\", \"command\": \"guard.sh\"{a}}}"))
}

fn groups() -> impl Strategy<Value = String> {
    let group = (gap(), list('[', ']', handler()), gap(), any::<bool>()).prop_map(|(a, handlers, b, matcher)| {
        let matcher = if matcher { "\"matcher\":\"Bash\"," } else { "" };
        format!("{{{a}{matcher}\"hooks\":{handlers}{b}}}")
    });
    list('[', ']', group)
}

fn event() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "PreToolUse",
        "PermissionRequest",
        "Stop",
        "SessionEnd",
        "Notification",
        "Setup",
        "MyEvent",
    ])
    .prop_map(str::to_owned)
}

fn settings() -> impl Strategy<Value = String> {
    let hooks = (
        prop::collection::vec((gap(), event(), groups(), gap()), 0..4),
        gap(),
        any::<bool>(),
    )
        .prop_map(|(fields, end, comma)| object(fields, &end, comma));
    let env = (
        prop::collection::vec((gap(), name(), Just("\"v\"".to_owned()), gap()), 0..3),
        gap(),
        any::<bool>(),
    )
        .prop_map(|(fields, end, comma)| object(fields, &end, comma));
    let field = prop_oneof![
        (gap(), Just("hooks".to_owned()), hooks, gap()),
        (gap(), Just("env".to_owned()), env, gap()),
        (
            gap(),
            prop::sample::select(vec!["model", "permissions", "x"]).prop_map(str::to_owned),
            json(),
            gap()
        ),
    ];
    (
        any::<bool>(),
        gap(),
        prop::collection::vec(field, 0..5),
        gap(),
        any::<bool>(),
        gap(),
    )
        .prop_map(|(bom, before, fields, end, comma, after)| {
            let bom = if bom { "\u{feff}" } else { "" };
            format!("{bom}{before}{}{after}", object(fields, &end, comma))
        })
}

fn toml_file() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "# comment",
        "",
        "  ",
        "[section]",
        "[section.\"a b\"]",
        "[[hooks.PreToolUse]]\nmatcher = \"Bash\"\nhooks = [{ type = \"command\", command = \"guard\" }]",
        "[hooks.state.\"/x/hooks.json:stop:0:0\"]\ntrusted_hash = \"sha256:0\"",
        "text = \"\"\"\n[otel]\n\"\"\"",
        "list = [\n  1, # one\n]",
    ]);
    (prop::collection::vec(line, 0..6), any::<bool>(), any::<bool>()).prop_map(|(lines, windows, ended)| {
        let newline = if windows { "\r\n" } else { "\n" };
        let mut text = lines.join("\n").replace('\n', newline);
        if ended && !text.is_empty() {
            text.push_str(newline);
        }
        text
    })
}

/// `PROPTEST_CASES` for a long look; each case connects and disconnects many times.
fn cases() -> u32 {
    let given = std::env::var("PROPTEST_CASES").ok();
    given.and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn connecting_and_disconnecting_gives_any_settings_file_back(file in settings()) {
        check(Kind::ClaudeSettings, Some(&file));
    }

    #[test]
    fn connecting_and_disconnecting_gives_any_hooks_file_back(file in settings()) {
        check(Kind::CodexHooks, Some(&file));
    }

    #[test]
    fn connecting_and_disconnecting_gives_any_toml_back(file in toml_file()) {
        prop_assume!(toml::read(&file).is_ok());
        check(Kind::CodexConfig(true), Some(&file));
        check(Kind::CodexConfig(false), Some(&file));
    }

    #[test]
    fn nothing_that_a_file_says_makes_it_panic(file in ".{0,200}|[\\[\\]{}\",:/*\n hoks]{0,60}") {
        for kind in [Kind::ClaudeSettings, Kind::CodexHooks, Kind::CodexConfig(true)] {
            let _ = connect(kind, Some(&file), &wish(kind.agent(), true));
            let _ = disconnect(kind, Some(&file));
            let _ = look(kind, Some(&file), Beside::default());
        }
    }

    #[test]
    fn connecting_changes_nothing_that_the_agent_reads_beside_our_entries(file in settings()) {
        let meaning = |text: &str| {
            let text = disconnect(Kind::ClaudeSettings, Some(text)).expect("left").unwrap_or_default();
            entries(Kind::ClaudeSettings, &text).expect("read")
        };
        let connected = put_in(Kind::ClaudeSettings, Some(&file), &wish(Agent::ClaudeCode, true)).expect("connected").expect("a file");
        prop_assert_eq!(meaning(&connected), meaning(&file));
        let all = entries(Kind::ClaudeSettings, &connected).expect("read");
        let others: Vec<_> = all.iter().filter(|entry| !entry.ours).cloned().collect();
        prop_assert_eq!(others, entries(Kind::ClaudeSettings, &file).expect("read"));
    }
}
