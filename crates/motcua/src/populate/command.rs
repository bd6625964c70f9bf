//! `motcua registry country`: an invented country in the registries of a node, for measurements and training.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use base::Lang;
use clap::Args;
use country::{Country, Options};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    REGISTRIES,
    stream::{Keepers, Progress, stream},
    units,
};
use crate::{
    bar::{Bar, cores},
    cli::{open_node, say, tell},
};

/// Which country, and into which node.
#[derive(Debug, Args)]
pub struct Populate {
    /// The configuration of the node, which has published population, residence, civil-status, enterprises, tax, social-insurance and customs.
    #[arg(long)]
    config: PathBuf,
    /// Persons who live on the last day, about: 100 to 10000000.
    #[arg(long)]
    persons: u32,
    /// The country is the same for the same seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Codes of the provinces before the merger that people come from, with commas: 35,36,37. All without it.
    #[arg(long, value_delimiter = ',')]
    provinces: Vec<u8>,
    /// A folder for what is told before it is taken over: about five kilobytes a person. The same command goes on there after a break.
    #[arg(long)]
    folder: PathBuf,
    /// Threads that tell; all cores without it.
    #[arg(long)]
    threads: Option<usize>,
    /// In English.
    #[arg(long)]
    en: bool,
}

impl Populate {
    /// Fills the registries, and prints how many versions of records that made.
    ///
    /// # Errors
    /// What went wrong, for the operator.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let lang = if self.en { Lang::En } else { Lang::Vi };
        let node = open_node(&self.config).await?;
        let options = Options {
            seed: self.seed,
            persons: self.persons,
            provinces: self.provinces,
            ..Options::default()
        };
        let country = Arc::new(Country::new(options, units()?)?);
        let keepers: Keepers = REGISTRIES.map(|code| (code, node.registries.clone())).into();
        let telling = lang.t("Tạo cộng đồng", "Telling communities");
        let taking = lang.t("Nạp, MB", "Taking over, MB");
        let (progress, showing) = shown(telling, taking)?;
        let threads = self.threads.unwrap_or_else(cores);
        let done = stream(&keepers, &country, &self.folder, threads, progress).await;
        showing.await?;
        let done = match done {
            Ok(versions) => node
                .store
                .analyze()
                .await
                .map(|()| versions)
                .map_err(anyhow::Error::new),
            Err(error) => Err(error),
        };
        node.store.close().await;
        match done {
            Ok(versions) => {
                say(&match lang {
                    Lang::Vi => format!("Đã nạp {versions} phiên bản bản ghi.\n"),
                    Lang::En => format!("{versions} versions of records were taken over.\n"),
                })?;
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => tell(error, lang),
        }
    }
}

/// Shows how far it is until nobody tells any more.
///
/// # Errors
/// The template of the bar is wrong: ours to mend.
pub fn shown(
    telling: &'static str,
    taking: &'static str,
) -> anyhow::Result<(mpsc::UnboundedSender<Progress>, JoinHandle<()>)> {
    let mut bar = Bar::new()?;
    let (tell, mut told) = mpsc::unbounded_channel();
    let showing = tokio::spawn(async move {
        while let Some(progress) = told.recv().await {
            match progress {
                Progress::Telling(done, of) => bar.set(telling, done, of, done),
                Progress::Taking(done, of) => bar.set(taking, done, of, done >> 20),
            }
        }
        bar.end();
    });
    Ok((tell, showing))
}
