//! What the trial needs of the machine: network namespaces with a link that can be taken down, and disks that can be filled.
//!
//! The trial runs in namespaces of its own (`unshare`), as root or as any user: nothing of it is left when it ends, and it
//! cannot reach what is outside.

use std::{
    fs::{self, File},
    io::Write,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::town::Place;
use crate::run;

/// Set within the namespaces.
const INSIDE: &str = "MOTCUA_TROUBLE_INSIDE";
/// The namespace of the provider's member, and the two ends of the link to it.
const NAMESPACE: &str = "provider";
const LINK: [&str; 2] = ["near", "far"];
const NEAR: [u8; 4] = [10, 213, 7, 1];
const FAR: [u8; 4] = [10, 213, 7, 2];

/// Whether this process is in namespaces of its own.
pub fn is_private() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// The command that runs this program again in namespaces of its own; none where the system does not let us, with the reason.
pub fn private() -> Result<Command, String> {
    let root = run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let flags = if root { "-mn" } else { "-rmn" };
    let unshare = || {
        let mut command = Command::new("unshare");
        command.arg(flags).arg("--").env(INSIDE, "1");
        command
    };
    run::output(unshare().arg("true")).map_err(|error| format!("{error:#}"))?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    // The build of the whole workspace may have put another of the same name in its place meanwhile.
    let this = this.to_string_lossy();
    let this = this.strip_suffix(" (deleted)").unwrap_or(&this);
    let mut command = unshare();
    command.arg(this);
    Ok(command)
}

fn ip(words: &str) -> anyhow::Result<()> {
    run::output(Command::new("ip").args(words.split_whitespace())).map(drop)
}

fn mount(folder: &Path, megabytes: u64) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let options = ["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0755"), "tmpfs"];
    run::output(Command::new("mount").args(options).arg(folder)).map(drop)
}

/// Makes a namespace for the provider's member, joined to this one by a link. Gives the places here and there.
///
/// # Errors
/// Outside of namespaces of our own, or without `ip`.
pub fn link() -> anyhow::Result<(Place, Place)> {
    ip("link set lo up")?;
    // Where `ip netns` keeps its names; this one is ours alone.
    mount(Path::new("/run"), 1)?;
    ip(&format!("netns add {NAMESPACE}"))?;
    let [near, far] = LINK;
    ip(&format!("link add {near} type veth peer name {far} netns {NAMESPACE}"))?;
    let dotted = |ip: [u8; 4]| IpAddr::from(ip).to_string();
    ip(&format!("addr add {}/30 dev {near}", dotted(NEAR)))?;
    ip(&format!("link set {near} up"))?;
    for words in [
        "link set lo up",
        &format!("addr add {}/30 dev {far}", dotted(FAR)),
        &format!("link set {far} up"),
    ] {
        ip(&format!("-n {NAMESPACE} {words}"))?;
    }
    let here = Place {
        ip: NEAR.into(),
        namespace: None,
    };
    let there = Place {
        ip: FAR.into(),
        namespace: Some(NAMESPACE.to_owned()),
    };
    Ok((here, there))
}

/// Takes the link down, or up again.
///
/// # Errors
/// When it cannot be done.
pub fn set_link(up: bool) -> anyhow::Result<()> {
    ip(&format!("link set {} {}", LINK[0], if up { "up" } else { "down" }))
}

/// A small disk under a folder, which can be filled.
#[derive(Debug)]
pub struct Disk {
    filling: PathBuf,
}

impl Disk {
    /// Puts a disk of so many megabytes (2^20 bytes) under an empty folder.
    ///
    /// # Errors
    /// Outside of namespaces of our own.
    pub fn under(folder: &Path, megabytes: u64) -> anyhow::Result<Self> {
        mount(folder, megabytes)?;
        Ok(Self {
            filling: folder.join("filling"),
        })
    }

    /// Fills it to the last byte.
    ///
    /// # Errors
    /// When it fails for another reason than that it is full.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::options().create(true).append(true).open(&self.filling)?;
        for size in [1 << 20, 4 << 10] {
            let block = vec![0x5a; size];
            loop {
                match file.write(&block) {
                    Ok(_) => {}
                    Err(e) if e.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(e) => return Err(e).context("filling a disk"),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn free(&self) -> anyhow::Result<()> {
        fs::remove_file(&self.filling).context("making room")
    }
}
