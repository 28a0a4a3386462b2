//! Notices a new build of the window's files, which are compiled in.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../ui/dist/index.html");
}
