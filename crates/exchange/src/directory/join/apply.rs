//! Applying, and waiting for the answer.

use std::{fs, sync::Arc};

use base::{Clock, Error, Result, Timestamp};
use trust::{Certificate, Purpose, Revocations};

use super::{
    super::{
        anchors::{certified, trust_store},
        disk,
        follower::{Follower, Following},
        membership::{
            documents::{Application, Question},
            service::{Answer, ApplicationStanding},
        },
        refusal::Refusal,
        seal::{NamedSigner, Sealed, seal},
    },
    Known, LONGEST_FILE, Node, Operator, certificate_of,
};

/// The application as it was sent, so that sending it again is the same.
const APPLICATION: &str = "application";

/// For how long it is sent again, in seconds; later it is signed anew.
const RESEND: i64 = 12 * 3_600;

/// How far joining is.
#[derive(Debug)]
pub enum Progress {
    /// The operator has not decided yet.
    Pending,
    /// The operator refused, for this reason. A new application may be sent.
    Refused(String),
    /// The node is a member's: its certificate was verified under the pinned root, and stored.
    Joined {
        /// The certificate.
        certificate: Certificate,
        /// Follows the directory from now on.
        follower: Follower,
    },
}

impl Node {
    /// Pins the root, and applies. Running it again sends the same application. `endorser` is the key of TLS of another
    /// gateway of the member, to add this one without asking the operator to vouch for it.
    ///
    /// # Errors
    /// `Invalid` for another federation, and everything that the operator refuses.
    pub async fn apply(
        &mut self,
        known: &Known,
        invitation: Option<&str>,
        endorser: Option<&NamedSigner>,
        now: Timestamp,
    ) -> Result<Answer> {
        if self.about.member.instance != known.instance {
            return Err(Refusal::OtherInstance {
                expected: self.about.member.instance.clone(),
                found: known.instance.clone(),
            }
            .into());
        }
        Follower::pin(&self.directory_folder(), &known.root, known.fingerprint)?;
        let application = Application {
            instance: known.instance.clone(),
            member: self.about.member.clone(),
            name: self.about.name.clone(),
            gateway: self.about.gateway.clone(),
            address: self.about.address.clone(),
            request: self.about.request.clone(),
            log: self.about.log.clone(),
            log_key: self.log.key().clone(),
            log_url: self.about.log_url.clone(),
            invitation: invitation.map(str::to_owned),
            created: now,
        };
        let document = match self.sent(&application)? {
            Some(document) => document,
            None => {
                let signers: Vec<&NamedSigner> = [&self.tls, &self.log].into_iter().chain(endorser).collect();
                let document = seal(&application, &signers)?;
                disk::replace(&self.folder.join(APPLICATION), document.as_bytes())?;
                document
            }
        };
        let answer = known.operator.apply(document).await?;
        self.about.application = Some(answer.application);
        self.save()?;
        Ok(answer)
    }

    /// The application that was sent lately, when it says the same.
    fn sent(&self, now: &Application) -> Result<Option<String>> {
        let Some(bytes) = disk::read(&self.folder.join(APPLICATION), LONGEST_FILE)? else {
            return Ok(None);
        };
        let Ok(sealed) = Sealed::<Application>::read(&bytes) else {
            return Ok(None);
        };
        let sent = sealed.body();
        let is_late = now.created > sent.created.plus_seconds(RESEND);
        let same = Application {
            created: sent.created,
            ..now.clone()
        };
        Ok((same == *sent && !is_late).then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Asks how the application stands. When it was approved: verifies the directory under the pinned root, and the
    /// certificate under the directory, and stores it.
    ///
    /// # Errors
    /// [`Refusal::Absent`] before [`Node::apply`]; what the operator or the directory refuses; a certificate that is of
    /// another key, of another member, or not believed by the directory.
    pub async fn poll(&self, operator: &Operator, clock: Arc<dyn Clock>) -> Result<Progress> {
        let now = clock.now();
        let application = self
            .about
            .application
            .ok_or_else(|| Refusal::Absent(APPLICATION.to_owned()))?;
        let question = Question {
            instance: self.about.member.instance.clone(),
            application,
            created: now,
        };
        let answer = operator.question(seal(&question, &[&self.tls])?).await?;
        match answer.standing {
            ApplicationStanding::Pending => Ok(Progress::Pending),
            ApplicationStanding::Refused => {
                let _ = fs::remove_file(self.folder.join(APPLICATION));
                Ok(Progress::Refused(answer.reason.unwrap_or_default()))
            }
            ApplicationStanding::Approved => {
                let pem = answer.certificate.ok_or(Refusal::Malformed("certificate"))?;
                self.finish(operator, &pem, clock).await
            }
        }
    }

    async fn finish(&self, operator: &Operator, pem: &str, clock: Arc<dyn Clock>) -> Result<Progress> {
        let chain = Certificate::chain_from_pem(pem)?;
        self.check_certificate(&chain, self.tls_signer.as_ref())?;
        let now = clock.now();
        let following = Following::new(vec![operator.mirror()], self.directory_folder(), clock);
        let follower = Follower::open(following).await?;
        let newer = follower.refresh().await;
        newer.map_err(|problems| Error::Refused(base::Kind::Unavailable, problems))?;
        let standing = follower.standing().load_full();
        let store = trust_store(&standing.view, Revocations::default(), now)?;
        let ders: Vec<_> = chain.iter().map(|certificate| certificate.der().clone()).collect();
        let peer = store.judge(&ders, Purpose::Server, now).map_err(Error::from)?;
        peer.must_be(&certified(&self.about.member)?)?;
        let path = self.folder.join(certificate_of(&self.about.tls_key));
        disk::replace(&path, pem.as_bytes())?;
        let certificate = chain.into_iter().next().ok_or(trust::Refusal::Missing)?;
        Ok(Progress::Joined { certificate, follower })
    }
}
