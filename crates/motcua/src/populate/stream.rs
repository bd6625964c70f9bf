//! A country in the registries of nodes. First everything is told, community by community, into files, one for each registry and day of
//! recording; then the files are taken over in their order. Neither holds more in memory than some communities or some versions, and both
//! go on where they were when the process ended.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use base::Timestamp;
use country::{Community, Country};
use futures::future::try_join_all;
use registry::{
    history::Moment,
    model::{Registry, RegistryCode},
    service::{Recorded, Registries, With},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    Scribe, Told,
    take::{AT_ONCE, key, moment, morning, registry, take_over},
};

/// Bytes of told versions in memory before they are written.
const PAGE: usize = 32 * 1024 * 1024;
/// What the folder was made for.
const PLAN: &str = "plan.json";
/// The file that is there once everything is told.
const TOLD: &str = "told";

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many communities of so many are told.
    Telling(u64, u64),
    /// So many bytes of so many are taken over.
    Taking(u64, u64),
}

/// The nodes that have published a country's registries, by the code of the registry ([`REGISTRIES`](super::REGISTRIES)).
pub type Keepers = BTreeMap<&'static str, Registries>;

/// Puts a country into registries; how many versions were written now. `folder` keeps what is told in the meantime, about five kilobytes a person,
/// and may be deleted afterwards.
///
/// # Errors
/// The folder was made for another country or other registries; a registry is not published; a record does not pass its rules; the database or the
/// disk failed.
pub async fn stream(
    keepers: &Keepers,
    country: &Arc<Country>,
    folder: &Path,
    threads: usize,
    progress: mpsc::UnboundedSender<Progress>,
) -> anyhow::Result<usize> {
    let spool = Spool::open(folder, country, keepers)?;
    if !spool.is_told() {
        let (spool, keepers, country) = (spool.clone(), keepers.clone(), Arc::clone(country));
        let progress = progress.clone();
        spawn_blocking(move || spool.tell(&keepers, &country, threads, &progress)).await??;
    }
    let size = spool.size(keepers)?;
    let mut taken = 0;
    let (told, mut heard) = mpsc::channel(keepers.len().max(1));
    let counting = tokio::spawn(async move {
        while let Some(bytes) = heard.recv().await {
            taken += bytes;
            // Whoever does not listen any more does not want to know.
            let _ = progress.send(Progress::Taking(taken, size));
        }
    });
    // Judging is work for the processor, writing is one after the other: so they go side by side.
    let written = try_join_all(keepers.iter().map(|(code, registries)| {
        let (registries, spool, told) = (registries.clone(), spool.clone(), told.clone());
        let code = *code;
        let taking = tokio::spawn(async move { spool.take(&registries, &code.parse()?, &told).await });
        async move { taking.await? }
    }))
    .await?;
    drop(told);
    counting.await?;
    Ok(written.into_iter().sum())
}

/// A version in a file: a line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    seq: i64,
    /// Microseconds.
    recorded_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    corrects: Option<i64>,
    from: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    source: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    basis: String,
}

impl Line {
    fn of(registry: &Registry, key: &str, nth: usize, told: &Told) -> Self {
        Self {
            key: key.to_owned(),
            seq: nth as i64 + 1,
            recorded_at: morning(told.recorded).micros(),
            corrects: told.corrects,
            from: moment(registry, told.from).stored(),
            body: told.body.clone(),
            source: told.ground.source.to_owned(),
            basis: told.ground.basis.to_owned(),
        }
    }
}

impl From<Line> for Recorded {
    fn from(line: Line) -> Self {
        let from = Moment::from_stored(line.from);
        Self {
            key: line.key,
            seq: line.seq,
            recorded_at: Timestamp::from_micros(line.recorded_at),
            corrects: line.corrects,
            says: match line.body {
                Some(body) => With::Holds { from, to: None, body },
                None => With::Ends { at: from },
            },
            source: line.source,
            basis: line.basis,
        }
    }
}

/// What the folder was made for: another country, or other registries, would be mixed with it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    seed: u64,
    persons: u32,
    until: String,
    provinces: Vec<u8>,
    registries: Vec<String>,
}

/// Where a registry is in its files.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    /// The file; those before it are done.
    file: String,
    /// Bytes of it that are done.
    bytes: u64,
}

/// The folder with what is told.
#[derive(Debug, Clone)]
struct Spool(PathBuf);

impl Spool {
    fn open(folder: &Path, country: &Country, keepers: &Keepers) -> anyhow::Result<Self> {
        let options = country.options();
        let plan = Plan {
            seed: options.seed,
            persons: options.persons,
            until: options.until.to_string(),
            provinces: options.provinces.clone(),
            registries: keepers.keys().map(|code| (*code).to_owned()).collect(),
        };
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let file = folder.join(PLAN);
        if file.exists() {
            let before: Plan = serde_json::from_slice(&fs::read(&file)?)
                .with_context(|| format!("{} is not the plan of a country", file.display()))?;
            anyhow::ensure!(
                before == plan,
                "{} was made for another country or other registries: take its options, or another folder",
                folder.display()
            );
        } else {
            anyhow::ensure!(
                fs::read_dir(folder)?.next().is_none(),
                "{} is not empty",
                folder.display()
            );
            write(&file, &serde_json::to_vec(&plan)?)?;
        }
        Ok(Self(folder.to_owned()))
    }

    fn is_told(&self) -> bool {
        self.0.join(TOLD).exists()
    }

    fn of(&self, code: &str) -> PathBuf {
        self.0.join(code)
    }

    /// Tells the country into files. What an earlier process began is told again from the beginning: it is the same.
    fn tell(
        &self,
        keepers: &Keepers,
        country: &Country,
        threads: usize,
        progress: &mpsc::UnboundedSender<Progress>,
    ) -> anyhow::Result<()> {
        let mut all = Vec::new();
        for (code, registries) in keepers {
            all.push((*code, registry(registries, &code.parse()?)?));
            let folder = self.of(code);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir(&folder)?;
        }
        let scribe = Scribe::of(country);
        let tell = |community: Community| -> anyhow::Result<Pages> {
            let mut pages = Pages::default();
            for (code, registry) in &all {
                for record in scribe.records(code, &community) {
                    let key = key(registry, &record)?;
                    for (nth, told) in record.told.iter().enumerate() {
                        let line = Line::of(registry, &key, nth, told);
                        pages.add(code, told.recorded.to_string(), &line)?;
                    }
                }
            }
            Ok(pages)
        };
        let (mut pages, mut told) = (Pages::default(), 0);
        country.walk(threads, tell, |community| {
            pages.append(community?);
            told += 1;
            let _ = progress.send(Progress::Telling(told, country.len().into()));
            if pages.bytes > PAGE {
                pages.write(self)?;
            }
            anyhow::Ok(())
        })?;
        pages.write(self)?;
        write(&self.0.join(TOLD), b"")
    }

    /// Bytes of all files.
    fn size(&self, keepers: &Keepers) -> anyhow::Result<u64> {
        let mut size = 0;
        for code in keepers.keys() {
            for file in fs::read_dir(self.of(code))? {
                size += file?.metadata()?.len();
            }
        }
        Ok(size)
    }

    /// Takes the files of a registry over in their order; tells the bytes that are done.
    async fn take(
        &self,
        registries: &Registries,
        code: &RegistryCode,
        told: &mpsc::Sender<u64>,
    ) -> anyhow::Result<usize> {
        let at = self.0.join(format!("{code}.json"));
        let mut place: Place = match fs::read(&at) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => Place::default(),
        };
        let mut files = Vec::new();
        for file in fs::read_dir(self.of(code.as_str()))? {
            files.push(file?.file_name().to_string_lossy().into_owned());
        }
        files.sort_unstable();
        let mut reader = Reader {
            folder: self.of(code.as_str()),
            files,
        };
        let done = reader.before(&place)?;
        // Nobody counts where nobody listens.
        let _ = told.send(done).await;
        let mut written = 0;
        loop {
            let next;
            (reader, next) = spawn_blocking(move || {
                let next = reader.next(&place)?;
                anyhow::Ok((reader, next))
            })
            .await??;
            let Some((versions, after, bytes)) = next else {
                return Ok(written);
            };
            written += take_over(registries, code, &versions).await?;
            // A version that is there is passed over: to be one step behind does no harm.
            write(&at, &serde_json::to_vec(&after)?)?;
            place = after;
            let _ = told.send(bytes).await;
        }
    }
}

/// The files of a registry, in the order of their days.
struct Reader {
    folder: PathBuf,
    files: Vec<String>,
}

impl Reader {
    /// Bytes before a place.
    fn before(&self, place: &Place) -> anyhow::Result<u64> {
        let mut bytes = place.bytes;
        for name in self.files.iter().filter(|name| **name < place.file) {
            bytes += fs::metadata(self.folder.join(name))?.len();
        }
        Ok(bytes)
    }

    /// The next versions after a place, of as many days as it takes, with the place after them and the bytes that they took.
    fn next(&self, place: &Place) -> anyhow::Result<Option<(Vec<Recorded>, Place, u64)>> {
        let mut versions = Vec::new();
        let (mut after, mut bytes) = (Place::default(), 0);
        for name in self.files.iter().filter(|name| **name >= place.file) {
            let mut file = File::open(self.folder.join(name))?;
            let mut at = if *name == place.file { place.bytes } else { 0 };
            file.seek(SeekFrom::Start(at))?;
            let mut file = BufReader::new(file);
            let mut text = String::new();
            while versions.len() < AT_ONCE && file.read_line(&mut text)? > 0 {
                let line: Line = serde_json::from_str(&text).with_context(|| format!("a line of {name}"))?;
                versions.push(Recorded::from(line));
                at += text.len() as u64;
                bytes += text.len() as u64;
                text.clear();
            }
            after = Place {
                file: name.clone(),
                bytes: at,
            };
            if versions.len() >= AT_ONCE {
                break;
            }
        }
        Ok((!versions.is_empty()).then_some((versions, after, bytes)))
    }
}

/// Lines by registry and day, until they are written.
#[derive(Default)]
struct Pages {
    bytes: usize,
    lines: BTreeMap<(&'static str, String), Vec<u8>>,
}

impl Pages {
    fn add(&mut self, code: &'static str, day: String, line: &Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.bytes += text.len();
        self.lines.entry((code, day)).or_default().append(&mut text);
        Ok(())
    }

    fn append(&mut self, other: Self) {
        self.bytes += other.bytes;
        for (page, mut lines) in other.lines {
            self.lines.entry(page).or_default().append(&mut lines);
        }
    }

    fn write(&mut self, spool: &Spool) -> anyhow::Result<()> {
        for ((code, day), lines) in std::mem::take(&mut self.lines) {
            let file = spool.of(code).join(day);
            let mut file = OpenOptions::new().create(true).append(true).open(file)?;
            file.write_all(&lines)?;
        }
        self.bytes = 0;
        Ok(())
    }
}

/// Writes a small file whole, or not at all.
fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, bytes).with_context(|| format!("writing {}", new.display()))?;
    fs::rename(&new, file).with_context(|| format!("writing {}", file.display()))
}
