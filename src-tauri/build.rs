//! Checks that the window's page was built, and lets Tauri do its part.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    for input in ["ui/dist", "src-tauri/capabilities", "src-tauri/permissions"] {
        println!("cargo:rerun-if-changed={input}");
    }
    if !Path::new("ui/dist/index.html").exists() {
        eprintln!(
            "The window's page has not been built: ui/dist/index.html is missing. Run `cargo xtask run`, which does everything, or \
             build the page by itself: `cd ui && npm ci && npm run build`."
        );
        return ExitCode::FAILURE;
    }
    let commands = tauri_build::AppManifest::new().permissions_path_pattern("src-tauri/permissions/*.toml");
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("src-tauri/capabilities/*.json")
        .app_manifest(commands);
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
