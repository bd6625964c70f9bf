//! A person's own view: what the node's own log of reads has, what its services gave to others, and what other nodes tell.

use std::cmp::Reverse;

use base::{Error, Lang, Result, Text, Timestamp, codes::PersonNumber};
use identity::{Ctx, Permission, PersonActor, ReadEntry, Scope};
use uuid::Uuid;

use super::{
    super::{
        Journal, LeafId,
        evidence::Role,
        store::{self as tables, ReadRow, Window},
    },
    Question, ReadElsewhere,
};
use crate::model::{
    federation::View,
    identifier::{ClientId, ServiceId},
    tracker::{SubjectIndex, Usage},
};

/// Reads of one page.
const PAGE: usize = 50;
/// Entries of one page of what identity has recorded.
const HERE: u32 = 50;
/// Questions that are shown beside them.
const QUESTIONS: i64 = 100;

/// Which reads are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadFilter {
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant.
    pub to: Option<Timestamp>,
    /// Where the page before ended: the instant, and how many reads of this very instant were shown.
    pub before: Option<(Timestamp, usize)>,
    /// How many at most; a page of the site when not said.
    pub most: Option<u32>,
}

/// Where a read is known from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// An officer, or the platform, read it on this node.
    Here {
        /// The entry of the access log, if it is a leaf by now.
        proved: Option<Uuid>,
    },
    /// Another agency read it from a service of this node; the leaf proves it.
    Exchange {
        /// In a log of this node.
        leaf: LeafId,
    },
    /// Another node tells.
    Elsewhere {
        /// Where it has the proof; absent where it gives none.
        proof: Option<ReadElsewhere>,
    },
}

impl Source {
    /// Where the person downloads the proof.
    pub fn proof(&self) -> Option<String> {
        match self {
            Self::Here { proved } => proved.map(|id| format!("/my/reads/proofs/{id}")),
            Self::Exchange { leaf } => Some(format!("/my/reads/{leaf}/evidence")),
            Self::Elsewhere { proof } => proof.as_ref().map(ReadElsewhere::download),
        }
    }
}

/// A read of a person's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAbout {
    /// When.
    pub at: Timestamp,
    /// Who: an officer, or an agency.
    pub who: Text,
    /// The code of the agency.
    pub agency: String,
    /// The information system of the agency, if it read through the exchange.
    pub system: Option<String>,
    /// What was read.
    pub what: String,
    /// From whom: the name of the service, or of the provider.
    pub through: Option<Text>,
    /// Why.
    pub why: Text,
    /// The code of the dossier.
    pub dossier: Option<String>,
    /// Where it is known from.
    pub source: Source,
    /// Request id, for questions about it.
    pub request: Option<Uuid>,
    /// What the person asked about it.
    pub question: Option<Question>,
}

/// A page of reads.
#[derive(Debug, Clone, Default)]
pub struct MyReads {
    /// Newest first.
    pub reads: Vec<ReadAbout>,
    /// Where the next page starts; absent on the last.
    pub next: Option<(Timestamp, usize)>,
    /// Providers that did not answer in time: reads of theirs may be missing.
    pub silent: Vec<String>,
    /// The account has no personal identification number, so nothing can be found.
    pub nobody: bool,
}

impl Journal {
    /// Who has read the data of the signed-in person, newest first: officers on this node, agencies through the exchange, and
    /// what other nodes tell within the time of [`super::super::Config::patience`].
    ///
    /// # Errors
    /// When nobody, or an officer, is signed in; the database failed.
    pub async fn my_reads(&self, ctx: &Ctx, filter: &ReadFilter) -> Result<MyReads> {
        let (person, number) = self.person(ctx)?;
        let Some(number) = number else {
            return Ok(MyReads {
                nobody: true,
                ..MyReads::default()
            });
        };
        self.catch_up().await?;
        // What was shown of the instant at which the page before ended is asked for again and left out.
        let last = [filter.to, filter.before.map(|(at, _)| at)].into_iter().flatten().min();
        let shown = filter.before.map_or(0, |(_, shown)| shown);
        let most = filter.most.map_or(PAGE, |most| most as usize);
        let wanted = most + shown + 1;
        let mine = self.read_through_exchange(ctx, &number, filter.from, last, wanted);
        let here = self.read_here(ctx, filter.from, last, wanted);
        let elsewhere = self.ask_everywhere(&number, (filter.from, last), wanted);
        let (mine, here, (elsewhere, silent)) = futures::join!(mine, here, elsewhere);
        let mut reads = mine?;
        reads.extend(here?);
        let view = (self.0.directory)();
        let told = elsewhere
            .into_iter()
            .map(|(provider, usage)| told(&view, &provider, usage));
        reads.extend(told.filter(|read| last.is_none_or(|last| read.at <= last)));
        // The same order each time: instant, then what tells reads of one instant apart.
        reads.sort_by(|a, b| {
            (Reverse(a.at), &a.source, &a.who.vi, &a.what).cmp(&(Reverse(b.at), &b.source, &b.who.vi, &b.what))
        });
        reads.drain(..shown.min(reads.len()));
        let more = reads.len() > most;
        reads.truncate(most);
        let next = more.then(|| next_place(&reads, filter.before)).flatten();
        self.add_questions(person, &mut reads).await?;
        Ok(MyReads {
            reads,
            next,
            silent,
            nobody: false,
        })
    }

    /// The evidence that a read of the signed-in person's data is in the log.
    ///
    /// # Errors
    /// `NotFound` for a read of somebody else, or one that is hidden.
    pub async fn my_read_evidence(&self, ctx: &Ctx, leaf: impl Into<LeafId>) -> Result<Vec<u8>> {
        let leaf = leaf.into();
        self.my_read(ctx, leaf).await?;
        self.contain(vec![(Role::Read, leaf)]).await
    }

    /// One read of the signed-in person's data through the exchange.
    ///
    /// # Errors
    /// As [`Self::my_read_evidence`].
    pub(in super::super) async fn read_about(&self, ctx: &Ctx, leaf: LeafId) -> Result<ReadAbout> {
        let row = self.my_read(ctx, leaf).await?;
        Ok(self.through(&(self.0.directory)(), row))
    }

    /// The signed-in person, and their number if the e-ID gave it.
    pub(super) fn person<'a>(&self, ctx: &'a Ctx) -> Result<(&'a PersonActor, Option<PersonNumber>)> {
        let person = ctx.person()?;
        ctx.require(Permission::ManageOwnAccount, &Scope::Account(person.account))?;
        let number = person.person_number.as_deref().and_then(|number| number.parse().ok());
        Ok((person, number))
    }

    /// A read through the exchange that the signed-in person sees.
    pub(super) async fn my_read(&self, ctx: &Ctx, leaf: LeafId) -> Result<ReadRow> {
        let gone = || Error::not_found("lượt xem này", "read");
        let (_, number) = self.person(ctx)?;
        self.catch_up().await?;
        let subject = self.0.config.subject_key.index(&number.ok_or_else(gone)?);
        let db = self.0.store.read();
        let row = tables::reads_by_leaf(&db, &[leaf.key()])
            .await?
            .pop()
            .ok_or_else(gone)?;
        let at = Timestamp::from_micros(row.at);
        let hidden = self.hiding(ctx.now);
        let window = Window {
            subject,
            provider: None,
            request: None,
            from: Some(at),
            to: Some(at),
            hidden: &hidden,
        };
        let seen = tables::keys_about(&db, &window, i64::from(u16::MAX)).await?;
        if seen.contains(&row.leaf) { Ok(row) } else { Err(gone()) }
    }

    async fn read_through_exchange(
        &self,
        ctx: &Ctx,
        number: &PersonNumber,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        most: usize,
    ) -> Result<Vec<ReadAbout>> {
        let subject: SubjectIndex = self.0.config.subject_key.index(number);
        let hidden = self.hiding(ctx.now);
        let window = Window {
            subject,
            provider: None,
            request: None,
            from,
            to,
            hidden: &hidden,
        };
        let rows = tables::reads_about(&self.0.store.read(), &window, limit(most)).await?;
        let view = (self.0.directory)();
        Ok(rows.into_iter().map(|row| self.through(&view, row)).collect())
    }

    fn through(&self, view: &View, row: ReadRow) -> ReadAbout {
        let client = row.client.parse::<ClientId>().ok();
        let service = row.service.parse::<ServiceId>().ok();
        let member = client.as_ref().map(|client| &client.member);
        let named = service.as_ref().and_then(|service| view.service(service));
        ReadAbout {
            at: Timestamp::from_micros(row.at),
            who: member
                .and_then(|member| view.member(member))
                .map_or_else(|| Text::new(&row.member, ""), |member| member.name.clone()),
            agency: member.map_or_else(String::new, |member| member.code.as_str().to_owned()),
            system: client.and_then(|client| client.subsystem.map(|part| part.as_str().to_owned())),
            what: row.action,
            through: Some(named.map_or_else(
                || Text::new(row.service, ""),
                |(member, service)| {
                    let both = |lang| format!("{} ({})", service.name.get(lang), member.name.get(lang));
                    Text::new(both(Lang::Vi), both(Lang::En))
                },
            )),
            why: self.0.config.meanings.of(&row.purpose),
            dossier: row.issue,
            source: Source::Exchange {
                leaf: LeafId::of_key(row.leaf),
            },
            request: Some(row.request_id),
            question: None,
        }
    }

    /// What identity has recorded on this node. Of a time that lies further back pages are
    /// turned until it is reached.
    async fn read_here(
        &self,
        ctx: &Ctx,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        most: usize,
    ) -> Result<Vec<ReadAbout>> {
        let mut reads = Vec::new();
        let mut before = to.map(|to| (to.micros(), Uuid::max()));
        while reads.len() < most {
            let (entries, next) = self.0.identity.reads_of_me(ctx, before, HERE).await?;
            let end = entries
                .iter()
                .position(|entry| from.is_some_and(|from| entry.at < from));
            reads.extend(entries.into_iter().take(end.unwrap_or(usize::MAX)).map(here));
            match next {
                Some(next) if end.is_none() => before = Some(next),
                _ => break,
            }
        }
        Ok(reads)
    }

    async fn add_questions(&self, person: &PersonActor, reads: &mut [ReadAbout]) -> Result<()> {
        let db = self.0.store.read();
        let asked = tables::questions_of(&db, person.account.uuid(), QUESTIONS).await?;
        for row in asked {
            let Some(leaf) = row.leaf.map(LeafId::of_key) else {
                continue;
            };
            let source = Source::Exchange { leaf };
            let read = reads.iter_mut().find(|read| read.source == source);
            if let Some(read) = read {
                read.question = Some(row.into());
            }
        }
        Ok(())
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// After the last of these: its instant, and how many of that instant have been shown by now.
fn next_place(reads: &[ReadAbout], before: Option<(Timestamp, usize)>) -> Option<(Timestamp, usize)> {
    let last = reads.last()?.at;
    let of_last = reads.iter().rev().take_while(|read| read.at == last).count();
    let earlier = before.filter(|(at, _)| *at == last).map_or(0, |(_, shown)| shown);
    Some((last, of_last + earlier))
}

fn here(entry: ReadEntry) -> ReadAbout {
    ReadAbout {
        at: entry.at,
        who: Text::new(entry.actor, ""),
        agency: entry.agency,
        system: None,
        what: entry.what,
        through: None,
        why: entry.purpose,
        dossier: entry.dossier,
        source: Source::Here {
            proved: entry.proved.then_some(entry.id),
        },
        request: Some(entry.request_id),
        question: None,
    }
}

fn told(view: &View, provider: &ServiceId, usage: Usage) -> ReadAbout {
    let member = &provider.provider.member;
    let name = view.member(member).map(|member| member.name.clone());
    ReadAbout {
        at: usage.logtime,
        who: Text::new(usage.receiver_name.unwrap_or_else(|| usage.receiver_code.clone()), ""),
        agency: usage.receiver_code,
        system: Some(usage.receiver_system),
        what: usage.action,
        through: Some(name.unwrap_or_else(|| Text::new(member.to_string(), ""))),
        why: Text::default(),
        dossier: None,
        source: Source::Elsewhere {
            proof: usage.read_id.map(|read| ReadElsewhere {
                provider: provider.provider.clone(),
                read,
            }),
        },
        request: usage.read_id,
        question: None,
    }
}
