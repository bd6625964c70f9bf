//! What callers say beside the body: the purpose, the two times, the fields, the filters.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use base::{Error, Kind, Problems, Result, Timestamp};
use exchange::model::headers::{ISSUE, PURPOSE};
use identity::{ApiError, ApiQuery, Paging};
use utoipa::IntoParams;

use crate::{
    model::{Filter, Name, Operator, Parameter, Registry, RegistryCode, Service},
    service::{Asked, Mask, Purpose, Query, Registries, Sort, Times, When},
    shelf::Editions,
};

/// The law by which somebody reads, where it is not the registry's own.
const BASIS: &str = "x-motcua-legal-basis";
/// Parameters that every list has, but for its filters.
const COMMON: [&str; 6] = ["cursor", "limit", "sort", "fields", "as_of", "known_at"];

/// The registry of a code.
pub fn registry(registries: &Registries, code: &RegistryCode) -> Result<Arc<Editions>> {
    let found = registries.shelf().get(code);
    found.ok_or_else(|| Error::not_found("cơ sở dữ liệu", "registry"))
}

/// Attributes that are asked for together.
#[derive(Debug)]
pub struct Attributes {
    /// At least one.
    pub offered: Vec<Name>,
    /// What the service does not tell.
    pub not_offered: Vec<Name>,
}

/// Why the caller reads.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Stated {
    /// The code of the purpose.
    #[param(
        rename = "X-Motcua-Purpose",
        pattern = "^[a-z][a-z0-9.-]{0,63}$",
        example = "dossier.verify"
    )]
    purpose: String,
    /// Code of the dossier that is the cause.
    #[param(rename = "X-Road-Issue", pattern = "^[0-9A-Z][0-9A-Z.-]{0,79}$", value_type = Option<String>)]
    dossier: String,
    /// The law that allows it, where it is not the registry's own.
    #[param(rename = "X-Motcua-Legal-Basis", max_length = 300, value_type = Option<String>)]
    basis: String,
}

impl Stated {
    fn of(parts: &Parts) -> Self {
        let text = |name: &str| {
            let value = parts
                .headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()));
            value.map(|text| text.trim().to_owned()).unwrap_or_default()
        };
        Self {
            purpose: text(PURPOSE),
            dossier: text(ISSUE),
            basis: text(BASIS),
        }
    }

    /// The purpose.
    ///
    /// # Errors
    /// None is stated, or it cannot be read.
    pub fn purpose(&self) -> Result<Purpose> {
        Purpose::read(&self.purpose, &self.basis, &self.dossier)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Stated {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::of(parts))
    }
}

/// Why the caller reads, where they may read something without saying so.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct MaybePurpose {
    /// The code of the purpose; without it bodies are left out.
    #[param(rename = "X-Motcua-Purpose", pattern = "^[a-z][a-z0-9.-]{0,63}$", value_type = Option<String>)]
    purpose: Stated,
}

impl MaybePurpose {
    /// The purpose, if one is stated.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn purpose(&self) -> Result<Option<Purpose>> {
        if self.purpose.purpose.is_empty() {
            return Ok(None);
        }
        self.purpose.purpose().map(Some)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybePurpose {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self {
            purpose: Stated::of(parts),
        })
    }
}

/// Of when, and which fields.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes Asking in the OpenAPI document")]
pub struct ReadParams {
    /// The moment of life: a day, or an instant with its offset. Now where it is left out.
    as_of: Option<String>,
    /// The instant whose knowledge counts (RFC 3339). Now where it is left out.
    #[param(format = DateTime)]
    known_at: Option<String>,
    /// Fields to show, separated by commas; a group stands for all in it. All where it is left out.
    fields: Option<String>,
}

/// As known when, of when, and which fields of the versions of a record.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes Asking in the OpenAPI document")]
pub struct HistoryParams {
    /// A moment of life, a day or an instant with its offset: versions that say something of it by themselves, and those that correct
    /// them. All versions where it is left out.
    as_of: Option<String>,
    /// The history as it was at this instant (RFC 3339): what was recorded until then. Now where it is left out.
    #[param(format = DateTime)]
    known_at: Option<String>,
    /// Fields to show, separated by commas; a group stands for all in it. All where it is left out.
    fields: Option<String>,
}

/// As known when, and which fields of the feed of changes.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes Asking in the OpenAPI document")]
pub struct FeedParams {
    /// The feed as it was at this instant (RFC 3339): what was recorded until then. Now where it is left out. There is no `as_of`: the
    /// feed tells what was recorded, of whichever moment of life.
    #[param(format = DateTime)]
    known_at: Option<String>,
    /// Fields to show, separated by commas; a group stands for all in it. All where it is left out.
    fields: Option<String>,
}

/// The parameters of a query, as they came.
#[derive(Debug)]
pub struct Asking(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Asking {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let ApiQuery(pairs) = ApiQuery::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        Ok(Self(pairs))
    }
}

impl Asking {
    /// Of a parameter; none where it is not there or says nothing.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All of them.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn known(&self, names: &[&str], filters: &[Filter]) -> Result<()> {
        let mut problems = Problems::new();
        let filters: Vec<String> = filters
            .iter()
            .flat_map(Filter::parameters)
            .map(|(name, _)| name)
            .collect();
        for (n, (name, _)) in self.0.iter().enumerate() {
            if !names.contains(&name.as_str()) && !filters.contains(name) {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
                problems.add(
                    "unknown-parameter",
                    shown,
                    "Không có tham số hoặc bộ lọc này.",
                    "There is no such parameter or filter.",
                );
            } else if self.0[..n].iter().any(|(other, _)| other == name) {
                problems.add(
                    "parameter-twice",
                    name.as_str(),
                    "Tham số này chỉ ghi một lần.",
                    "This parameter stands once.",
                );
            }
        }
        problems.into_result()
    }

    /// That there are no parameters but these: what would not be understood is never passed over.
    ///
    /// # Errors
    /// Every parameter that is none of them, or stands twice.
    pub fn only(&self, names: &[&str]) -> Result<()> {
        self.known(names, &[])
    }

    /// Of when and as known when, of a request that has these two among its parameters.
    ///
    /// # Errors
    /// What of them cannot be read.
    pub fn times(&self) -> Result<Times> {
        let mut problems = Problems::new();
        let times = self.read_times(&mut problems);
        problems.into_result()?;
        Ok(times)
    }

    fn read_times(&self, problems: &mut Problems) -> Times {
        let text = |name| self.get(name).unwrap_or_default();
        Times::read(text("as_of"), text("known_at"), problems)
    }

    /// The attributes that are asked for, of when and as known when. Who asks may be ahead of who answers by a version of its procedures:
    /// one that the service does not tell keeps the others from nobody.
    ///
    /// # Errors
    /// None is named that the service tells, what is named is no name, or a time cannot be read.
    pub fn facts(&self, service: &Service) -> Result<(Attributes, Times)> {
        self.only(&["attributes", "as_of", "known_at"])?;
        let mut problems = Problems::new();
        let times = self.read_times(&mut problems);
        let names = self.get("attributes").unwrap_or_default().split(',');
        let names: std::result::Result<Vec<Name>, _> = names.map(|name| name.trim().parse()).collect();
        let (offered, not_offered): (Vec<_>, Vec<_>) = names
            .unwrap_or_default()
            .into_iter()
            .partition(|name| service.attributes.contains(name));
        if !offered.is_empty() {
            problems.into_result()?;
            return Ok((Attributes { offered, not_offered }, times));
        }
        let told: Vec<&str> = service.attributes.iter().map(Name::as_str).collect();
        problems.add(
            "unknown-attribute",
            "attributes",
            format!(
                "Nêu một hoặc nhiều thuộc tính của dịch vụ này, cách nhau bằng dấu phẩy: {}.",
                told.join(", ")
            ),
            format!(
                "Name one or several attributes of this service, separated by commas: {}.",
                told.join(", ")
            ),
        );
        Err(Error::Refused(Kind::Invalid, problems))
    }

    /// As known when, and the fields, of a request for the feed of changes.
    ///
    /// # Errors
    /// As everywhere; `as_of` too: the feed is in the order of recording, of whichever moment of life.
    pub fn feed(&self, registry: &Registry) -> Result<(Option<Timestamp>, Mask)> {
        if self.0.iter().any(|(name, _)| name == "as_of") {
            let mut problems = Problems::new();
            problems.add(
                "feed-by-recording",
                "as_of",
                "Danh sách thay đổi xếp theo thời điểm ghi nhận, không theo ngày có hiệu lực; chỉ dùng được known_at.",
                "The feed of changes is in the order of recording, of whichever moment of life; it takes known_at only.",
            );
            return Err(Error::Refused(Kind::Invalid, problems));
        }
        self.only(&["cursor", "limit", "fields", "known_at"])?;
        let (when, mask) = self.read(registry)?;
        Ok((when.known_at, mask))
    }

    /// Of when, and the fields, of a request for the versions of a record.
    pub fn history(&self, registry: &Registry) -> Result<(When, Mask)> {
        self.only(&["cursor", "limit", "fields", "as_of", "known_at"])?;
        self.read(registry)
    }

    /// Of when, and the fields.
    pub fn when_and_mask(&self, registry: &Registry) -> Result<(When, Mask)> {
        self.only(&["as_of", "known_at", "fields"])?;
        self.read(registry)
    }

    fn read(&self, registry: &Registry) -> Result<(When, Mask)> {
        let mut problems = Problems::new();
        let times = self.read_times(&mut problems);
        let mask = match Mask::read(self.get("fields").unwrap_or_default(), registry) {
            Ok(mask) => mask,
            Err(Error::Refused(_, more)) => {
                problems.extend(more);
                Mask::ALL
            }
            Err(error) => return Err(error),
        };
        problems.into_result()?;
        Ok((times.when(registry.valid_time), mask))
    }

    /// A list.
    pub fn query(&self, registry: &Registry, paging: &Paging) -> Result<Query> {
        let mut query = self.filters(registry, &COMMON)?;
        query.after = paging.after().map(str::to_owned);
        query.limit = paging.limit();
        Ok(query)
    }

    /// What is asked, of a request that may have these parameters and the filters.
    pub fn filters(&self, registry: &Registry, names: &[&str]) -> Result<Query> {
        self.known(names, &registry.filters)?;
        let (when, mask) = self.read(registry)?;
        let mut asked = Vec::new();
        for filter in &registry.filters {
            let mut range = Asked {
                field: filter.field.clone(),
                operator: Operator::Range,
                value: None,
                upto: None,
            };
            for (name, parameter) in filter.parameters() {
                let Some(value) = self.get(&name).map(str::to_owned) else {
                    continue;
                };
                let operator = match parameter {
                    Parameter::From => {
                        range.value = Some(value);
                        continue;
                    }
                    Parameter::To => {
                        range.upto = Some(value);
                        continue;
                    }
                    Parameter::Is => Operator::Eq,
                    Parameter::Begins => Operator::Prefix,
                };
                asked.push(Asked {
                    field: filter.field.clone(),
                    operator,
                    value: Some(value),
                    upto: None,
                });
            }
            if range.value.is_some() || range.upto.is_some() {
                asked.push(range);
            }
        }
        let sort = self.get("sort").map(|text| {
            let field = text.strip_prefix('-').unwrap_or(text);
            field.parse().map(|field| Sort {
                field,
                descending: text.starts_with('-'),
            })
        });
        let sort = sort.transpose().map_err(|error: base::codes::CodeError| {
            let mut problems = Problems::new();
            error.add_to(&mut problems, "sort");
            Error::Refused(Kind::Invalid, problems)
        })?;
        Ok(Query {
            asked,
            sort,
            when,
            mask,
            after: None,
            limit: Paging::USUAL,
        })
    }
}
