//! The operator's side: signs editions and timestamps, and writes them into a folder that anything can serve.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base::{Clock, Timestamp};
use trust::{PublicKey, Signer};

use super::{
    anchors::trust_store,
    disk,
    format::{
        BlobRef, Digest, Edition, EditionRef, File, LONGEST_DIRECTORY, LONGEST_DOCUMENT, LONGEST_SEALED, Role,
        RoleName, Root, Stamp,
    },
    refusal::Refusal,
    seal::{Key, NamedSigner, Sealed, seal},
    trusted::directory_of,
};
use crate::model::{
    federation::{Directory, View},
    identifier::Part,
};

/// For how long what is signed holds, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Roots: years, for their keys are in a safe.
    pub root: i64,
    /// Editions: what a thief of the timestamp key alone can hold back.
    pub edition: i64,
    /// Timestamps: what a mirror can hold back.
    pub timestamp: i64,
}

impl Default for Validity {
    /// Three years, thirty days, one hour.
    fn default() -> Self {
        Self {
            root: 3 * 365 * 86_400,
            edition: 30 * 86_400,
            timestamp: 3_600,
        }
    }
}

/// The keys of a role, for a new root.
#[derive(Debug, Clone)]
pub struct Quorum {
    /// How many must sign.
    pub threshold: usize,
    /// The keys.
    pub keys: Vec<PublicKey>,
}

/// Who may sign what, for a new root.
#[derive(Debug, Clone)]
pub struct Quorums {
    /// Sign the next root.
    pub root: Quorum,
    /// Sign editions.
    pub edition: Quorum,
    /// Sign timestamps.
    pub timestamp: Quorum,
}

/// The keys that the running publisher holds. Those of the root are not among them.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    /// Sign editions.
    pub edition: Vec<Arc<dyn Signer>>,
    /// Sign timestamps.
    pub timestamp: Vec<Arc<dyn Signer>>,
}

/// What has to be signed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// The timestamp.
    Timestamp,
    /// The edition, and with it the timestamp.
    Edition,
}

/// Signs editions of the directory and keeps the folder that followers read. One process writes a folder.
///
/// Its methods sign and write, which a key in an HSM and a disk take their time for: on an async runtime, call them where
/// blocking is allowed.
pub struct Publisher {
    folder: PathBuf,
    validity: Validity,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    root: Root,
    edition_keys: Vec<NamedSigner>,
    timestamp_keys: Vec<NamedSigner>,
    newest: Option<Newest>,
}

#[derive(Clone)]
struct Newest {
    stamp: Stamp,
    edition: Edition,
}

impl Publisher {
    /// Founds a federation: writes root number 1, and gives its fingerprint, which members compare. `signers` are keys of
    /// the root, at least as many as must sign.
    ///
    /// # Errors
    /// [`Refusal::Role`], [`Refusal::TooFewKeys`]; [`Refusal::Founded`] when the folder has a root.
    pub fn found(
        folder: &Path,
        instance: &Part,
        quorums: &Quorums,
        signers: &[Arc<dyn Signer>],
        validity: Validity,
        now: Timestamp,
    ) -> Result<Digest, Refusal> {
        let path = folder.join(File::Root(1).path());
        if path.exists() {
            return Err(Refusal::Founded(folder.display().to_string()));
        }
        let root = root_of(instance, 1, quorums, now.plus_seconds(validity.root))?;
        let signers = named(instance, RoleName::Root, signers)?;
        let sealed = seal(&root, &signers.iter().collect::<Vec<_>>())?;
        Root::verify_first(&Sealed::read(sealed.as_bytes())?)?;
        disk::replace(&path, sealed.as_bytes())?;
        Ok(Digest::of(sealed.as_bytes()))
    }

    /// Opens the folder, and signs anew what the present root or clock wants signed anew: so whatever the machine was
    /// stopped at is mended.
    ///
    /// # Errors
    /// [`Refusal::Absent`] when nothing was founded here, [`Refusal::TooFewKeys`] when the keys are not enough, or what is
    /// wrong with the files.
    pub fn open(folder: &Path, signers: &Signers, validity: Validity, clock: Arc<dyn Clock>) -> Result<Self, Refusal> {
        let mut root = Self::first_root(folder)?;
        while let Some(next) = disk::read(&folder.join(File::Root(root.version + 1).path()), LONGEST_SEALED)? {
            let next = Sealed::<Root>::read(&next)?;
            root.verify_next(&next)?;
            root = next.into_body();
        }
        let newest = Self::read_newest(folder)?;
        let state = State {
            edition_keys: named(&root.instance, RoleName::Edition, &signers.edition)?,
            timestamp_keys: named(&root.instance, RoleName::Timestamp, &signers.timestamp)?,
            root,
            newest,
        };
        can_sign(RoleName::Edition, &state.root.edition, &state.edition_keys)?;
        can_sign(RoleName::Timestamp, &state.root.timestamp, &state.timestamp_keys)?;
        let publisher = Self {
            folder: folder.to_owned(),
            validity,
            clock,
            state: Mutex::new(state),
        };
        publisher.renew()?;
        Ok(publisher)
    }

    fn first_root(folder: &Path) -> Result<Root, Refusal> {
        let first = disk::must_read(&folder.join(File::Root(1).path()), LONGEST_SEALED)?;
        let first = Sealed::<Root>::read(&first)?;
        Root::verify_first(&first)?;
        Ok(first.into_body())
    }

    fn read_newest(folder: &Path) -> Result<Option<Newest>, Refusal> {
        let Some(stamp) = disk::read(&folder.join(File::Timestamp.path()), LONGEST_SEALED)? else {
            return Ok(None);
        };
        let stamp = Sealed::<Stamp>::read(&stamp)?.into_body();
        let edition = disk::must_read(&folder.join(File::Edition(stamp.edition).path()), LONGEST_SEALED)?;
        let edition = Sealed::<Edition>::read(&edition)?.into_body();
        Ok(Some(Newest { stamp, edition }))
    }

    /// The folder that followers read.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The federation.
    pub fn instance(&self) -> Part {
        self.state().root.instance.clone()
    }

    /// The fingerprint of the root in force: SHA-256 of its file, which a new member compares.
    ///
    /// # Errors
    /// [`Refusal::Disk`].
    pub fn fingerprint(&self) -> Result<Digest, Refusal> {
        let path = self.folder.join(File::Root(self.state().root.version).path());
        Ok(Digest::of(&disk::must_read(&path, LONGEST_SEALED)?))
    }

    /// The number that the next edition will have.
    pub fn next_version(&self) -> u64 {
        self.state()
            .newest
            .as_ref()
            .map_or(1, |newest| newest.edition.version + 1)
    }

    /// The directory of the newest edition; none before the first.
    ///
    /// # Errors
    /// [`Refusal::Disk`], or what is wrong with the file.
    pub fn newest(&self) -> Result<Option<Arc<View>>, Refusal> {
        let Some(newest) = self.state().newest.clone() else {
            return Ok(None);
        };
        let path = self.folder.join(File::Blob(newest.edition.directory.sha256).path());
        let bytes = disk::must_read(&path, LONGEST_DIRECTORY)?;
        directory_of(&newest.edition, &bytes).map(Some)
    }

    /// For how long an edition holds, in seconds.
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// The time that it signs.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Puts an OpenAPI document into the folder, for a directory that will name it.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`], [`Refusal::Disk`].
    pub fn hand_in(&self, document: &[u8]) -> Result<Digest, Refusal> {
        if document.len() as u64 > LONGEST_DOCUMENT {
            return Err(Refusal::TooLarge(LONGEST_DOCUMENT));
        }
        let sha256 = Digest::of(document);
        disk::keep(&self.folder.join(File::Blob(sha256).path()), document)?;
        Ok(sha256)
    }

    /// Whether a document was handed in.
    pub fn has(&self, sha256: Digest) -> bool {
        self.folder.join(File::Blob(sha256).path()).exists()
    }

    /// Publishes an edition: its number and its time are set here. Each OpenAPI document that it names must have been
    /// handed in.
    ///
    /// The timestamp is written last, so a follower sees the old edition or the new one, whole.
    ///
    /// # Errors
    /// [`Refusal::Contents`], [`Refusal::Anchor`], [`Refusal::Revocations`], [`Refusal::NoDocument`] before anything is
    /// written; [`Refusal::TooFewKeys`], [`Refusal::Key`], [`Refusal::Disk`].
    pub fn publish(&self, directory: Directory) -> Result<u64, Refusal> {
        let mut state = self.state();
        self.publish_with(&mut state, directory)
    }

    fn publish_with(&self, state: &mut State, directory: Directory) -> Result<u64, Refusal> {
        let now = self.clock.now();
        let version = state.newest.as_ref().map_or(1, |newest| newest.edition.version + 1);
        let directory = Directory {
            instance: state.root.instance.clone(),
            version,
            issued: now,
            ..directory
        };
        let bytes = serde_json::to_vec(&directory).map_err(|_| Refusal::Malformed("directory"))?;
        if bytes.len() as u64 > LONGEST_DIRECTORY {
            return Err(Refusal::TooLarge(LONGEST_DIRECTORY));
        }
        let view = View::new(directory).map_err(Refusal::Contents)?;
        trust_store(&view, trust::Revocations::default(), now)?;
        self.check_documents(view.directory())?;
        disk::keep(&self.folder.join(File::Blob(Digest::of(&bytes)).path()), &bytes)?;
        let edition = Edition {
            instance: state.root.instance.clone(),
            version,
            expires: now.plus_seconds(self.validity.edition),
            directory: BlobRef::of(&bytes),
        };
        self.write_edition(state, edition, now)?;
        Ok(version)
    }

    fn check_documents(&self, directory: &Directory) -> Result<(), Refusal> {
        let services = directory
            .members
            .iter()
            .flat_map(|member| &member.subsystems)
            .flat_map(|subsystem| &subsystem.services);
        for description in services.filter_map(|service| service.description.as_ref()) {
            if !self.has(description.sha256.parse()?) {
                return Err(Refusal::NoDocument(description.sha256.clone()));
            }
        }
        Ok(())
    }

    /// What has to be signed anew: when half of its time is over, or the root has struck off who signed it.
    pub fn due(&self) -> Due {
        self.due_of(&self.state())
    }

    fn due_of(&self, state: &State) -> Due {
        let Some(newest) = &state.newest else {
            return Due::Nothing;
        };
        let now = self.clock.now();
        let half_over = |expires: Timestamp, validity: i64| now.plus_seconds(validity / 2) >= expires;
        if !self.stands(state, newest) || half_over(newest.edition.expires, self.validity.edition) {
            Due::Edition
        } else if newest.stamp.root != state.root.version || half_over(newest.stamp.expires, self.validity.timestamp) {
            Due::Timestamp
        } else {
            Due::Nothing
        }
    }

    /// Whether the files of the newest edition are good under the root in force.
    fn stands(&self, state: &State, newest: &Newest) -> bool {
        let read = || {
            let path = self.folder.join(File::Edition(newest.stamp.edition).path());
            let edition = Sealed::<Edition>::read(&disk::must_read(&path, LONGEST_SEALED)?)?;
            state.root.verify_edition(&edition)?;
            let path = self.folder.join(File::Timestamp.path());
            state
                .root
                .verify_stamp(&Sealed::read(&disk::must_read(&path, LONGEST_SEALED)?)?)
        };
        read().is_ok()
    }

    /// Signs anew what is [`Publisher::due`], if anything; the directory stays what it was.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub fn renew(&self) -> Result<Due, Refusal> {
        let mut state = self.state();
        let due = self.due_of(&state);
        match (&due, state.newest.clone()) {
            (Due::Timestamp, Some(newest)) => {
                let now = self.clock.now();
                self.write_stamp(&mut state, newest.stamp.edition, newest.edition, now)?;
            }
            (Due::Edition, Some(newest)) => {
                let path = self.folder.join(File::Blob(newest.edition.directory.sha256).path());
                let directory = disk::must_read(&path, LONGEST_DIRECTORY)?;
                let directory = serde_json::from_slice(&directory).map_err(|_| Refusal::Malformed("directory"))?;
                self.publish_with(&mut state, directory)?;
            }
            _ => {}
        }
        Ok(due)
    }

    /// Puts a new root in force: `signers` are keys of the old and of the new one, enough of each. `running` are the keys
    /// that sign editions and timestamps from now on; what they must sign anew is signed at once.
    ///
    /// # Errors
    /// [`Refusal::TooFewKeys`] of either root or of the running keys: then nothing has changed.
    pub fn rotate(&self, quorums: &Quorums, signers: &[Arc<dyn Signer>], running: &Signers) -> Result<Digest, Refusal> {
        let mut state = self.state();
        let now = self.clock.now();
        let instance = state.root.instance.clone();
        let expires = now.plus_seconds(self.validity.root);
        let root = root_of(&instance, state.root.version + 1, quorums, expires)?;
        let signers = named(&instance, RoleName::Root, signers)?;
        let sealed = seal(&root, &signers.iter().collect::<Vec<_>>())?;
        state.root.verify_next(&Sealed::read(sealed.as_bytes())?)?;
        let edition_keys = named(&instance, RoleName::Edition, &running.edition)?;
        let timestamp_keys = named(&instance, RoleName::Timestamp, &running.timestamp)?;
        can_sign(RoleName::Edition, &root.edition, &edition_keys)?;
        can_sign(RoleName::Timestamp, &root.timestamp, &timestamp_keys)?;
        disk::replace(&self.folder.join(File::Root(root.version).path()), sealed.as_bytes())?;
        state.root = root;
        state.edition_keys = edition_keys;
        state.timestamp_keys = timestamp_keys;
        drop(state);
        self.renew()?;
        Ok(Digest::of(sealed.as_bytes()))
    }

    fn write_edition(&self, state: &mut State, edition: Edition, now: Timestamp) -> Result<(), Refusal> {
        can_sign(RoleName::Edition, &state.root.edition, &state.edition_keys)?;
        can_sign(RoleName::Timestamp, &state.root.timestamp, &state.timestamp_keys)?;
        let sealed = seal(&edition, &state.edition_keys.iter().collect::<Vec<_>>())?;
        let blob = BlobRef::of(sealed.as_bytes());
        let named = EditionRef {
            version: edition.version,
            sha256: blob.sha256,
            bytes: blob.bytes,
        };
        disk::replace(&self.folder.join(File::Edition(named).path()), sealed.as_bytes())?;
        self.write_stamp(state, named, edition, now)
    }

    fn write_stamp(
        &self,
        state: &mut State,
        named: EditionRef,
        edition: Edition,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        can_sign(RoleName::Timestamp, &state.root.timestamp, &state.timestamp_keys)?;
        let stamp = Stamp {
            instance: state.root.instance.clone(),
            version: state.newest.as_ref().map_or(1, |newest| newest.stamp.version + 1),
            issued: now,
            expires: now.plus_seconds(self.validity.timestamp),
            root: state.root.version,
            edition: named,
        };
        let sealed = seal(&stamp, &state.timestamp_keys.iter().collect::<Vec<_>>())?;
        disk::replace(&self.folder.join(File::Timestamp.path()), sealed.as_bytes())?;
        state.newest = Some(Newest { stamp, edition });
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher({})", self.folder.display())
    }
}

fn root_of(instance: &Part, version: u64, quorums: &Quorums, expires: Timestamp) -> Result<Root, Refusal> {
    let role = |name: RoleName, quorum: &Quorum| {
        let keys = quorum.keys.iter().map(|key| Key::new(&key_name(instance, name), key));
        let keys = keys.collect::<Result<_, _>>().map_err(|_| Refusal::Role(name))?;
        Ok::<_, Refusal>(Role {
            threshold: quorum.threshold,
            keys,
        })
    };
    let root = Root {
        instance: instance.clone(),
        version,
        expires,
        root: role(RoleName::Root, &quorums.root)?,
        edition: role(RoleName::Edition, &quorums.edition)?,
        timestamp: role(RoleName::Timestamp, &quorums.timestamp)?,
    };
    root.check_itself()?;
    Ok(root)
}

/// `VN/directory/root`: as logs are named.
fn key_name(instance: &Part, role: RoleName) -> String {
    format!("{instance}/directory/{role}")
}

fn named(instance: &Part, role: RoleName, signers: &[Arc<dyn Signer>]) -> Result<Vec<NamedSigner>, Refusal> {
    let name = key_name(instance, role);
    let named = signers.iter().map(|signer| NamedSigner::new(&name, Arc::clone(signer)));
    named.collect::<Result<_, _>>().map_err(|_| Refusal::Role(role))
}

/// Before anything is written: whether enough keys of the role are at hand, and none beside.
fn can_sign(name: RoleName, role: &Role, signers: &[NamedSigner]) -> Result<(), Refusal> {
    let found = signers.iter().filter(|signer| role.keys.contains(signer.key())).count();
    if found < role.threshold {
        return Err(Refusal::TooFewKeys {
            role: name,
            needed: role.threshold,
            found,
        });
    }
    if found == signers.len() {
        Ok(())
    } else {
        Err(Refusal::Role(name))
    }
}
