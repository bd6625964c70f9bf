//! Certificate and key in files, which whoever renews them may replace while the node serves.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use base::Text;
use tokio::sync::watch;

use super::{PageCertificate, Shown, Trouble};

/// How often is looked whether the files have changed.
const LOOK: Duration = Duration::from_secs(10);

/// Two files, as they were last read.
pub struct Files {
    paths: [PathBuf; 2],
    read: [Vec<u8>; 2],
    page: Arc<PageCertificate>,
    pub(super) look: Duration,
}

impl Files {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// One cannot be read, or they do not belong together.
    pub fn open(chain: &Path, key: &Path, page: Arc<PageCertificate>) -> anyhow::Result<Self> {
        let paths = [chain.to_owned(), key.to_owned()];
        let read = contents(&paths)?;
        let both = || format!("{} and {}", chain.display(), key.display());
        page.show(Shown::read(&read[0], &read[1]).with_context(both)?);
        Ok(Self {
            paths,
            read,
            page,
            look: LOOK,
        })
    }

    /// Looks at them again and again, until `stop` becomes true. Files that cannot be used leave what is shown.
    pub async fn keep(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(self.look) => {}
            }
            match self.look_again() {
                Ok(changed) => {
                    if changed {
                        tracing::info!("the certificate of the pages was replaced");
                    }
                    self.page.tell(None);
                }
                Err(error) => self.page.tell(Some(unusable(&error))),
            }
        }
    }

    /// Whether there was something new. What cannot be used now is read again at the next look: the second of the two files
    /// may not be there yet.
    fn look_again(&mut self) -> anyhow::Result<bool> {
        let now = contents(&self.paths)?;
        if now == self.read {
            return Ok(false);
        }
        self.page.show(Shown::read(&now[0], &now[1])?);
        self.read = now;
        Ok(true)
    }
}

fn contents(paths: &[PathBuf; 2]) -> anyhow::Result<[Vec<u8>; 2]> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
    Ok([read(&paths[0])?, read(&paths[1])?])
}

fn unusable(error: &anyhow::Error) -> Trouble {
    Trouble {
        code: "page-certificate-unusable",
        text: Text::new(
            format!(
                "Tệp chứng thư hoặc khóa của trang vừa thay không dùng được ({error:#}); trang vẫn dùng chứng thư cũ. Hãy thay cả hai tệp cho khớp nhau."
            ),
            format!(
                "The new files of the pages' certificate cannot be used ({error:#}); the old one is still shown. Replace both so that they belong together."
            ),
        ),
    }
}
