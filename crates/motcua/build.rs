//! Gathers the procedure packages of `catalogue/`, the registries of `registries/`, the approved questions of `questions/` and the rules of
//! `proposals/` into the binary.

use std::{env, fmt::Write as _, fs, path::Path, process::Command};

fn main() {
    pack_relocations();
    lay_side_by_side();
    packages();
    for folder in ["registries", "questions", "proposals"] {
        folders(folder);
    }
}

/// The addresses that the loader fills in, 4.4 MB of a program this size, are written in a sixtieth of that (RELR); all of them
/// would stay in memory. Where the C library that is here can read it: glibc 2.36 (Debian 12) or later.
fn pack_relocations() {
    let gnu = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux")
        && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|c_library| c_library == "gnu")
        && env::var("HOST") == env::var("TARGET");
    if gnu && glibc().is_some_and(|version| version >= (2, 36)) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// What a node at rest runs. A linker lays functions down in the order of its inputs, so these would be strewn over all of the program,
/// and for each the system maps the 64 KB around it. `at-rest.txt` names them (`cargo xtask at-rest`); a name that is not linked, as of
/// another compiler or version of a library, does nothing. By the linker that comes with Rust: others do not know the option.
fn lay_side_by_side() {
    println!("cargo:rerun-if-changed=at-rest.txt");
    let optimised = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let gnu = env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let other_linker = env::var("RUSTC_LINKER").is_ok() || flags.contains("linker") || flags.contains("fuse-ld");
    if !optimised || !gnu || other_linker {
        return;
    }
    let list = fs::read_to_string("at-rest.txt").expect("at-rest.txt is there");
    let mut order = String::new();
    for line in list.lines() {
        // A name, and the hashes that stand behind it in the symbols of Rust.
        let (name, hashes) = line.split_once(' ').unwrap_or((line, ""));
        if hashes.is_empty() {
            let _ = writeln!(order, "{name}");
        }
        for hash in hashes.split_whitespace() {
            let _ = writeln!(order, "{name}17h{hash}E");
        }
    }
    let path = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("order");
    fs::write(&path, order).expect("the output folder can be written");
    println!(
        "cargo:rustc-link-arg-bins=-Wl,--symbol-ordering-file={}",
        path.display()
    );
    println!("cargo:rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
}

/// Of this machine, from `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Every file of a folder of the repository with its path below it.
fn folders(folder: &str) {
    let root = Path::new("../..").join(folder);
    let root = root.as_path();
    let mut files = Vec::new();
    gather(root, &mut files);
    files.sort();
    let mut out = String::from("[");
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file
            .strip_prefix(root)
            .expect("a file below the folder")
            .display()
            .to_string();
        let _ = write!(out, "({name:?}, {}),", included(file));
    }
    out.push(']');
    let target = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join(format!("{folder}.rs"));
    fs::write(target, out).expect("the output folder can be written");
}

/// The text of a file, named from the crate's folder when it is compiled: two clones may share one target folder.
fn included(file: &Path) -> String {
    let below = format!("/{}", file.to_str().expect("names of files are UTF-8"));
    format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {below:?}))")
}

fn gather(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|end| end == "toml" || end == "json") {
            files.push(path);
        }
    }
}

fn packages() {
    let root = Path::new("../../catalogue");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut out = String::from("[");
    let mut folders: Vec<_> = fs::read_dir(root)
        .map(|d| d.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect())
        .unwrap_or_default();
    folders.sort();
    for folder in folders {
        println!("cargo:rerun-if-changed={}", folder.display());
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut files: Vec<_> = fs::read_dir(&folder)
            .map(|d| d.flatten().map(|e| e.path()).filter(|p| p.is_file()).collect())
            .unwrap_or_default();
        files.sort();
        let _ = write!(out, "({name:?}, &[");
        for file in files {
            let file_name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if [".toml", ".bpmn", ".dmn", ".typ", ".txt"]
                .iter()
                .any(|end| file_name.ends_with(end))
            {
                println!("cargo:rerun-if-changed={}", file.display());
                let _ = write!(out, "({file_name:?}, {}),", included(&file));
            }
        }
        out.push_str("]),");
    }
    out.push(']');
    let target = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("catalogue.rs");
    fs::write(target, out).expect("the output folder can be written");
}
