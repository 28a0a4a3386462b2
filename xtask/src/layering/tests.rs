//! Each rule is broken once, in a workspace made up for it.

use serde_json::{Value, json};

use super::*;

/// A workspace in which every `(from, to, kind)` is a dependency. Names that start with `countersign-` or are `xtask` are
/// members.
fn workspace(edges: &[(&str, &str, Option<&str>)]) -> Metadata {
    with_features(edges, &[])
}

fn with_features(edges: &[(&str, &str, Option<&str>)], tokio_features: &[&str]) -> Metadata {
    let names: BTreeSet<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
    let of = |name: &str, make: &dyn Fn(&str, Option<&str>) -> Value| -> Vec<Value> {
        edges
            .iter()
            .filter(|edge| edge.0 == name)
            .map(|edge| make(edge.1, edge.2))
            .collect()
    };
    let declared = |to: &str, kind: Option<&str>| {
        let features = if to == "tokio" { tokio_features } else { &[] };
        json!({"name": to, "kind": kind, "features": features})
    };
    let resolved = |to: &str, kind: Option<&str>| json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
    serde_json::from_value(json!({
        "packages": names.iter().map(|name| json!({"id": name, "name": name, "dependencies": of(name, &declared)})).collect::<Vec<_>>(),
        "workspace_members": names.iter().filter(|name| name.starts_with("countersign-") || **name == "xtask").collect::<Vec<_>>(),
        "resolve": {"nodes": names.iter().map(|name| json!({"id": name, "deps": of(name, &resolved)})).collect::<Vec<_>>()},
        "target_directory": "target",
    }))
    .unwrap()
}

/// One dependency, and what is said of it.
fn check(edge: (&str, &str, Option<&str>), expect: &str) {
    let found = violations(&workspace(&[edge]));
    assert!(
        found.len() == 1 && found[0].contains(expect),
        "{edge:?} should give one with {expect:?}: {found:?}"
    );
}

#[test]
fn the_design_itself_is_allowed() {
    let drawn = workspace(&[
        ("countersign-dialects", "countersign-model", None),
        ("countersign-hub", "countersign-model", None),
        ("countersign-store", "countersign-hub", None),
        ("countersign-store", "rusqlite", None),
        ("countersign-server", "countersign-store", None),
        ("countersign-server", "countersign-dialects", None),
        ("countersign-server", "axum", None),
        ("axum", "hyper", None),
        ("countersign-cli", "countersign-server", None),
        ("countersign-cli", "ureq", None),
        ("countersign-desktop", "countersign-server", None),
        ("countersign-desktop", "tauri", None),
        ("tauri", "reqwest", None),
        ("reqwest", "hyper", None),
        ("countersign-testkit", "countersign-server", None),
        ("countersign-server", "countersign-testkit", Some("dev")),
        ("countersign-tests", "countersign-testkit", None),
        ("xtask", "clap", None),
    ]);
    assert_eq!(violations(&drawn), Vec::<String>::new());
}

#[test]
fn nobody_looks_up_or_sideways() {
    check(("countersign-model", "countersign-hub", None), "one way");
    check(("countersign-hub", "countersign-dialects", None), "one way");
    check(("countersign-dialects", "countersign-hub", None), "one way");
    check(("countersign-store", "countersign-server", None), "one way");
    check(("countersign-desktop", "countersign-cli", None), "one way");
}

#[test]
fn what_is_for_development_does_not_ship() {
    check(("countersign-server", "countersign-testkit", None), "development only");
    check(("countersign-cli", "xtask", Some("build")), "development only");
    check(("countersign-tests", "countersign-desktop", None), "do not link");
    check(("xtask", "countersign-model", None), "depends on none");
}

#[test]
fn a_crate_without_a_place_is_noticed() {
    check(("countersign-new", "countersign-model", None), "no place in the layers");
    check(("countersign-cli", "countersign-new", None), "no place in the layers");
}

#[test]
fn tauri_stays_in_the_shell() {
    check(("countersign-server", "tauri", None), "shell alone");
    check(("countersign-cli", "tauri-build", Some("build")), "shell alone");
    check(("countersign-tests", "gtk", None), "shell alone");
}

#[test]
fn http_and_sql_stay_at_home() {
    check(("countersign-hub", "hyper", None), "served in `server`");
    check(("countersign-cli", "axum", None), "served in `server`");
    check(("countersign-desktop", "axum", None), "served in `server`");
    check(
        ("countersign-store", "ureq", None),
        "only `server` and the command line",
    );
    check(
        ("countersign-desktop", "tokio-tungstenite", None),
        "only `server` and the command line",
    );
    check(("countersign-server", "rusqlite", None), "SQL is written in `store`");
    check(("countersign-cli", "reqwest", None), "the command line's client");
}

#[test]
fn the_model_and_the_codecs_are_not_async() {
    check(("countersign-model", "tokio", None), "no async");
    check(("countersign-dialects", "tokio", None), "no async");
}

#[test]
fn the_hub_wakes_and_nothing_more() {
    let edge = ("countersign-hub", "tokio", None);
    assert_eq!(violations(&with_features(&[edge], &["sync"])), Vec::<String>::new());
    let found = violations(&with_features(&[edge], &["sync", "net"]));
    assert!(found.len() == 1 && found[0].contains("turns on tokio/net"), "{found:?}");
    let in_tests = ("countersign-hub", "tokio", Some("dev"));
    assert_eq!(
        violations(&with_features(&[in_tests], &["rt", "macros"])),
        Vec::<String>::new()
    );
}

#[test]
fn a_banned_crate_is_found_behind_others_and_the_way_to_it_is_named() {
    let found = violations(&workspace(&[
        ("countersign-hub", "innocent", None),
        ("innocent", "hyper", None),
    ]));
    assert!(
        found.len() == 1 && found[0].starts_with("countersign-hub -> innocent -> hyper:"),
        "{found:?}"
    );
}

#[test]
fn tests_may_use_anything() {
    let found = violations(&workspace(&[
        ("countersign-model", "tokio", Some("dev")),
        ("countersign-hub", "axum", Some("dev")),
    ]));
    assert_eq!(found, Vec::<String>::new());
}
