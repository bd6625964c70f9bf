//! The everyday traffic of the nation: calls through the edges of the members, as their information systems make them.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use base::{Clock as _, time::SystemClock};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{
    agencies::Country,
    links::{self, About, Link},
    plan,
};

/// Calls under way at once; a node that hangs does not collect more.
const AT_ONCE: usize = 16;

/// What makes calls.
pub struct Traffic {
    /// The edges of the nodes, by folder.
    pub edges: BTreeMap<&'static str, SocketAddr>,
    /// Whom calls are about.
    pub country: Arc<Country>,
    /// Calls in a second.
    pub rate: f64,
    /// The client.
    pub http: reqwest::Client,
}

impl Traffic {
    /// Calls until it is dropped. What a call comes to is for the nodes to tell.
    pub async fn run(self) {
        if self.rate <= 0.0 {
            return;
        }
        let links: Vec<Link> = links::all().into_iter().filter(|link| link.weight > 0).collect();
        let mut rng = StdRng::from_os_rng();
        let room = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
        loop {
            // As people come: evenly on average, never on the beat.
            let pause = -rng.random_range(f64::EPSILON..1.0_f64).ln() / self.rate;
            tokio::time::sleep(Duration::from_secs_f64(pause.min(60.0))).await;
            let Ok(link) = links.choose_weighted(&mut rng, |link| link.weight) else {
                return;
            };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                continue;
            };
            if let Some(request) = self.request(link, &mut rng) {
                tokio::spawn(async move {
                    if let Err(error) = request.send().await {
                        tracing::debug!(%error, "a call of the nation's traffic");
                    }
                    drop(permit);
                });
            }
        }
    }

    fn request(&self, link: &Link, rng: &mut StdRng) -> Option<reqwest::RequestBuilder> {
        let edge = self.edges.get(plan::node_of(link.consumer)?.folder)?;
        let path = link.path.trim_end_matches('*');
        let about = match link.about {
            About::Person => self.country.somebody(rng).to_owned(),
            About::Enterprise => self.country.some_enterprise(rng).to_owned(),
            About::Importer => format!("?importer_tax_code={}&limit=20", self.country.some_importer(rng)?),
            About::Nobody => return None,
        };
        let day = SystemClock.now().legal_date().strftime("%y%m%d").to_string();
        let place = link
            .consumer
            .rsplit_once('/')
            .map_or("", |(_, system)| system)
            .to_uppercase();
        let issue = match link.consumer {
            plan::TOWN => format!("{}-{day}-{:04}", crate::demo::WARD, rng.random_range(1..400)),
            _ => format!("{place}-{day}-{:05}", rng.random_range(1..4_000)),
        };
        Some(
            self.http
                .get(format!("http://{edge}/r1/{}{path}{about}", link.service))
                .header("X-Road-Client", link.consumer)
                .header("X-Motcua-Purpose", link.purpose)
                .header("X-Road-Issue", issue),
        )
    }
}
