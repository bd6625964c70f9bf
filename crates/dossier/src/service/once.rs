//! Ask once: what a registry holds is asked of the registry, shown to the person to confirm, and never typed. A registry that is silent
//! delays nobody: the person types, the dossier is taken "to be verified", and the registry is asked again until it answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use base::{Error, Kind, Result, Timestamp};
use identity::Ctx;
use procedure::{
    form::{Answers, Attribute, Claim, Facts, Field, FieldSource, Form, Journey, Kind as FieldKind, Said, is_public},
    package::Package,
};
use registry::{
    lookup::{About, Lookup, Question},
    service::Times,
};
use serde::{Deserialize, Serialize};
use store::{Job, jobs::Run, transact};

use super::Dossiers;
use crate::{
    model::{
        action::{Applicant, Channel, DossierId},
        command::Command,
        state::{Rules, State},
    },
    store::{self as tables, drafts::Draft},
};

/// Registries that were silent are to be asked again.
pub const VERIFY: &str = "dossier.verify";
/// As long as a person waits for registries; longer is silence.
const PATIENCE: Duration = Duration::from_secs(3);
/// Seconds until a registry that was silent is asked again while a form is being filled in.
const AGAIN: i64 = 60;
/// Seconds until the first and at most until the next try of a dossier that was filed.
const PAUSES: (i64, i64) = (60, 6 * 3600);
/// What one answer makes askable may make another askable, but not for ever: spouse, then their name.
const ROUNDS: usize = 4;

/// Payload of [`VERIFY`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifyJob {
    /// The dossier.
    pub dossier: DossierId,
    /// Tries so far.
    pub tries: u32,
}

/// Asks again later, and later still after each try.
pub(super) fn verify_later(dossier: DossierId, tries: u32, now: Timestamp) -> Result<Job> {
    let (first, most) = PAUSES;
    let pause = (first << tries.min(16)).min(most);
    Ok(Job::new(VERIFY, &VerifyJob { dossier, tries })?.at(now.plus_seconds(pause)))
}

/// A form that somebody is filling in or has filed.
#[derive(Clone, Copy)]
pub(super) struct Filled<'a> {
    pub package: &'a Package,
    pub rules: Rules<'a>,
    pub applicant: &'a Applicant,
    pub channel: Channel,
    pub answers: &'a Answers,
    /// Code of the dossier, once there is one.
    pub dossier: Option<&'a str>,
}

impl Filled<'_> {
    pub fn journey(&self, now: Timestamp, facts: &Facts) -> Journey {
        let today = now.legal_date();
        let context = self.rules.informed(self.applicant, self.channel, today, facts);
        self.package.form.journey(self.answers, &context)
    }

    /// The codes of enterprises that were typed, of which registries tell what is public; by their field.
    fn typed_codes(&self) -> BTreeMap<&str, Option<&str>> {
        let form = &self.package.form;
        let asked = form.fields().filter_map(|field| match &field.source {
            FieldSource::Registry(attribute) if is_public(attribute) => attribute.of.as_deref(),
            _ => None,
        });
        let typed = asked
            .filter_map(|of| form.field(of))
            .filter(|field| matches!((&field.source, &field.kind), (FieldSource::Asked, FieldKind::TaxCode)));
        typed
            .map(|field| (field.id.as_str(), self.answers.text(&field.id)))
            .collect()
    }

    /// About whom a registry would be asked: no person whose number was only typed.
    fn about(&self, attribute: &Attribute, facts: &Facts) -> Option<About> {
        let claims = &self.applicant.claims;
        let Some(of) = &attribute.of else {
            let organisation = claims.tax_code.clone().map(About::Organisation);
            return organisation.or_else(|| claims.person_number.clone().map(About::Person));
        };
        let number = match &self.package.form.field(of)?.source {
            FieldSource::Eid(Claim::PersonNumber) => claims.person_number.clone()?,
            FieldSource::Registry(held) => facts.known(held)?.as_str()?.to_owned(),
            FieldSource::Asked if is_public(attribute) => {
                return facts.numbers.get(of).cloned().map(About::Organisation);
            }
            _ => return None,
        };
        Some(About::Person(number))
    }

    /// What registries can be asked now, of what the form shows.
    fn questions(&self, journey: &Journey, facts: &Facts, now: Timestamp) -> Vec<Question> {
        let mut open: BTreeMap<About, (BTreeSet<Attribute>, BTreeSet<&str>)> = BTreeMap::new();
        for (field, attribute) in self.package.form.registry_fields(journey) {
            let asked = facts.said.get(attribute);
            let due = asked.is_none_or(|said| said.is_silent() && said.at().plus_seconds(AGAIN) <= now);
            if let Some(about) = due.then(|| self.about(attribute, facts)).flatten() {
                let (attributes, basis) = open.entry(about).or_default();
                attributes.insert(attribute.clone());
                basis.insert(&field.basis);
            }
        }
        let question = |(about, (attributes, basis)): (About, (BTreeSet<Attribute>, BTreeSet<&str>))| Question {
            about,
            attributes: attributes.into_iter().collect(),
            procedure: self.package.id.code.clone(),
            basis: basis.into_iter().collect::<Vec<_>>().join("; "),
            dossier: self.dossier.map(str::to_owned),
            times: Times::default(),
        };
        open.into_iter().map(question).collect()
    }
}

impl Dossiers {
    /// From now on registries are asked by this.
    pub fn ask_registries_by(&self, lookup: Arc<dyn Lookup>) {
        // Said once, by whoever serves.
        let _ = self.0.lookup.set(lookup);
    }

    /// Asks registries for what the form shows and they have not said yet, and tells the way through the form with what they said.
    /// The flag tells whether anything new was said.
    pub(super) async fn inform(&self, ctx: &Ctx, form: Filled<'_>, facts: &mut Facts) -> (Journey, bool) {
        let mut news = false;
        for (of, code) in form.typed_codes() {
            news |= facts.ask_by(of, code);
        }
        let mut journey = form.journey(ctx.now, facts);
        let Some(lookup) = self.0.lookup.get() else {
            return (journey, news);
        };
        for _ in 0..ROUNDS {
            let questions = form.questions(&journey, facts, ctx.now);
            if questions.is_empty() {
                break;
            }
            let asked = questions.iter().map(|question| ask(lookup.as_ref(), ctx, question));
            let said: Vec<_> = futures::future::join_all(asked).await;
            for (attribute, said) in said.into_iter().flatten() {
                let said = self.fitting(form, &attribute, said, ctx.now);
                facts.said.insert(attribute, said);
            }
            news = true;
            journey = form.journey(ctx.now, facts);
        }
        (journey, news)
    }

    /// What a registry said, if it can be the answer of the field. What cannot could not be mended by the person: it is as good as
    /// silence, and for the operator to see.
    fn fitting(&self, form: Filled<'_>, attribute: &Attribute, said: Said, now: Timestamp) -> Said {
        let Said::Known { value, at, .. } = &said else {
            return said;
        };
        let context = form.rules.context(form.applicant, form.channel, now.legal_date());
        let fits = form
            .package
            .form
            .asked_by(attribute)
            .all(|field| Form::takes(field, value, &context));
        if fits {
            return said;
        }
        tracing::warn!(%attribute, procedure = %form.package.id.code, "a registry's answer does not fit the form");
        Said::Silent { at: *at }
    }

    /// What registries say of a filing that was not a draft. Where the answers given say otherwise, the person is taken to doubt the registry:
    /// neither is lost, and an officer judges.
    pub(super) async fn inform_filing(&self, ctx: &Ctx, form: Filled<'_>) -> Facts {
        let mut facts = Facts::default();
        let (journey, _) = self.inform(ctx, form, &mut facts).await;
        let differs = |(field, attribute): (&Field, &Attribute)| {
            let given = form.answers.get(&field.id)?;
            (facts.known(attribute)? != given).then(|| attribute.clone())
        };
        let doubted: Vec<Attribute> = form
            .package
            .form
            .registry_fields(&journey)
            .filter_map(differs)
            .collect();
        facts.doubts = doubted
            .into_iter()
            .map(|attribute| (attribute, String::new()))
            .collect();
        facts
    }

    /// Says that what a registry holds of a field of a draft is wrong, and why; or, without a reason, takes that back.
    ///
    /// # Errors
    /// As [`Dossiers::draft`]; `NotFound` where no registry has answered for this field.
    pub async fn doubt(&self, ctx: &Ctx, id: tables::drafts::DraftId, field: &str, doubt: Option<&str>) -> Result<()> {
        let view = self.draft(ctx, id).await?;
        let attribute = match view.package.form.field(field).map(|f| &f.source) {
            Some(FieldSource::Registry(attribute))
                if matches!(view.draft.facts.said.get(attribute), Some(Said::Known { .. })) =>
            {
                attribute
            }
            _ => return Err(Error::not_found("thông tin này của cơ sở dữ liệu", "field")),
        };
        let mut draft = view.draft.clone();
        match doubt {
            Some(reason) => draft
                .facts
                .doubts
                .insert(attribute.clone(), reason.trim().chars().take(LONGEST_DOUBT).collect()),
            None => draft.facts.doubts.remove(attribute),
        };
        draft.updated_at = ctx.now;
        match transact!(self.store(), |tx| { tables::drafts::save(&tx, &draft).await })? {
            true => Ok(()),
            false => Err(Error::refused(
                Kind::Conflict,
                "busy",
                "Bản nháp đang được lưu từ một thiết bị khác. Vui lòng thử lại.",
                "The draft is being saved from another device. Please try again.",
            )),
        }
    }

    /// Keeps what registries said of a draft.
    pub(super) async fn keep_said(&self, draft: &Draft) -> Result<()> {
        transact!(self.store(), |tx| { tables::drafts::keep_said(&tx, draft).await })
    }

    /// Asks the registries again that were silent when a dossier was filed. Its deadline does not wait for them.
    pub(super) async fn verify(&self, run: &Run, job: &VerifyJob) -> Result<()> {
        let Some(kept) = tables::by_id(&self.store().read(), job.dossier).await? else {
            return Ok(());
        };
        let state = kept.state;
        let (Some(lookup), false) = (self.0.lookup.get(), state.decision.is_final()) else {
            return Ok(());
        };
        let package = self.shelf().by_hash(&kept.package).await?;
        let calendar = self.calendar();
        let rules = self.rules(&package, &calendar);
        let ctx = Ctx::system("Đối chiếu cơ sở dữ liệu", run.now);
        let form = Filled {
            package: &package,
            rules,
            applicant: &state.applicant,
            channel: state.channel,
            answers: &state.answers,
            dossier: Some(&state.code),
        };
        // What was said since makes more askable: whose name a number is.
        let mut facts = state.facts.clone();
        facts.said.extend(state.verified.clone());
        let journey = form.journey(ctx.now, &facts);
        let mut said = BTreeMap::new();
        for question in form.questions(&journey, &facts, ctx.now) {
            said.extend(ask(lookup.as_ref(), &ctx, &question).await);
        }
        for (attribute, said) in &mut said {
            *said = self.fitting(form, attribute, said.clone(), ctx.now);
        }
        said.retain(|attribute, said| !said.is_silent() && state.unverified().any(|open| open == attribute));
        let left = state.unverified().filter(|open| !said.contains_key(open)).count();
        if !said.is_empty() {
            self.by_platform(run, job.dossier, &Command::TakeFacts { said }).await?;
        }
        if left > 0 {
            let next = verify_later(job.dossier, job.tries.saturating_add(1), run.now)?;
            transact!(self.store(), |tx| {
                tx.enqueue_all(std::slice::from_ref(&next), run.now).await
            })?;
        }
        Ok(())
    }
}

/// The longest reason of a doubt, in characters.
pub const LONGEST_DOUBT: usize = 1_000;

/// Asks one question; who does not answer in time is silent.
async fn ask(lookup: &dyn Lookup, ctx: &Ctx, question: &Question) -> BTreeMap<Attribute, Said> {
    let answered = tokio::time::timeout(PATIENCE, lookup.ask(ctx, question)).await;
    let mut said = answered.unwrap_or_default();
    let asked = question.attributes.iter().cloned();
    asked
        .map(|attribute| {
            let heard = said.remove(&attribute).unwrap_or(Said::Silent { at: ctx.now });
            (attribute, heard)
        })
        .collect()
}

/// A field that was typed although a registry holds it, and what the registry said later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Id of the field.
    pub field: String,
    /// The question.
    pub label: base::Text,
    /// What was filed, for people.
    pub filed: String,
    /// What the registry holds, for people; none where it holds nothing, or is still silent.
    pub held: Option<String>,
    /// How it stands.
    pub outcome: Outcome,
    /// Why the person says that the registry is wrong.
    pub reason: String,
}

/// How a typed answer stands beside the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The registry has not answered yet.
    Open,
    /// It holds the same.
    Same,
    /// It holds something else.
    Differs,
    /// It holds nothing.
    NotHeld,
    /// The person has seen what it holds and says that it is wrong.
    Doubted,
}

/// The typed answers of a dossier beside what registries hold.
pub(super) fn checks(
    form: &Form,
    journey: &Journey,
    state: &State,
    shown: impl Fn(&Field, &serde_json::Value) -> String,
) -> Vec<Check> {
    let check = |(field, attribute): (&Field, &Attribute)| {
        let filed = state.answers.get(&field.id)?;
        let later = state.verified.get(attribute);
        let said = later.or_else(|| state.facts.said.get(attribute))?;
        let doubt = state.facts.doubts.get(attribute);
        let (held, outcome) = match said {
            Said::Known { value, .. } if doubt.is_some() => (Some(value), Outcome::Doubted),
            // What the registry said at once is the answer itself.
            Said::Known { .. } if later.is_none() => return None,
            Said::Known { value, .. } if same(value, filed) => (Some(value), Outcome::Same),
            Said::Known { value, .. } => (Some(value), Outcome::Differs),
            Said::Nothing { .. } => (None, Outcome::NotHeld),
            Said::Silent { .. } => (None, Outcome::Open),
        };
        Some(Check {
            field: field.id.clone(),
            label: field.label.clone(),
            filed: shown(field, filed),
            held: held.map(|value| shown(field, value)),
            outcome,
            reason: doubt.cloned().unwrap_or_default(),
        })
    };
    form.registry_fields(journey).filter_map(check).collect()
}

/// Whether two answers say the same, whatever the letter case and the way of writing Vietnamese letters.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a, b) {
        (serde_json::Value::String(a), serde_json::Value::String(b)) => {
            let plain = |text: &str| base::text::nfc(text.trim()).to_lowercase();
            plain(a) == plain(b)
        }
        _ => a == b,
    }
}
