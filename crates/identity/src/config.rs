//! What an operator sets for sign-in.

use std::{collections::BTreeMap, time::Duration};

use base::{Problems, Result, Text};
use serde::{Deserialize, Serialize};

use crate::model::Assurance;

/// The section `[identity]` of the configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address under which people reach this node, without a path: `https://motcua.example.gov.vn`.
    /// Decides the name and the `Secure` mark of cookies, where the e-ID sends people back, and for which host passkeys hold.
    pub public_url: String,
    /// Offers one-click sign-in as every role. Never on a node with real data.
    pub demo: bool,
    /// The national e-ID. Without it people cannot sign in, only officers (and the demonstration).
    pub oidc: Option<Oidc>,
    /// How long sessions last.
    pub session: SessionTimes,
    /// When guessing is stopped.
    pub throttle: Throttle,
    /// Take the client's address from the last entry of `X-Forwarded-For`. Only behind a proxy that sets it.
    pub trust_forwarded_for: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://localhost:8080".to_owned(),
            demo: false,
            oidc: None,
            session: SessionTimes::default(),
            throttle: Throttle::default(),
            trust_forwarded_for: false,
        }
    }
}

/// How to reach the national e-ID by OpenID Connect.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The `iss`; its discovery document is read at the first sign-in.
    pub issuer: String,
    /// This node's name there.
    pub client_id: String,
    /// This node's secret there.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Scopes beside `openid`.
    #[serde(default = "Oidc::default_scopes")]
    pub scopes: Vec<String>,
    /// Which value of the `acr` claim means which level (1 or 2). A value that is not here is refused.
    #[serde(default = "Oidc::default_acr")]
    pub acr: BTreeMap<String, u8>,
    /// Names of the claims that OpenID Connect does not define.
    #[serde(default)]
    pub claims: ClaimNames,
    /// How long to wait for the e-ID, in seconds.
    #[serde(default = "Oidc::default_timeout")]
    pub timeout_seconds: u64,
    /// The name of the e-ID on the button.
    #[serde(default = "Oidc::default_name")]
    pub name: Text,
}

impl Oidc {
    fn default_scopes() -> Vec<String> {
        ["profile", "phone", "email"].map(str::to_owned).to_vec()
    }
    fn default_acr() -> BTreeMap<String, u8> {
        BTreeMap::from([("level1".to_owned(), 1), ("level2".to_owned(), 2)])
    }
    fn default_timeout() -> u64 {
        10
    }
    fn default_name() -> Text {
        Text::new("VNeID", "VNeID")
    }

    /// The `acr` values that give at least this level, the lowest first.
    pub(crate) fn acr_for(&self, level: Assurance) -> Vec<String> {
        let mut values: Vec<(u8, &String)> = self
            .acr
            .iter()
            .filter(|(_, n)| i64::from(**n) >= level.level())
            .map(|(acr, n)| (*n, acr))
            .collect();
        values.sort();
        values.into_iter().map(|(_, acr)| acr.clone()).collect()
    }
}

/// Names of claims. No public specification fixes them; the defaults follow eIDAS naming where there is one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimNames {
    /// Personal identification number.
    pub person_number: String,
    /// Tax code of the organisation that the person represents.
    pub tax_code: String,
    /// Name of that organisation.
    pub organisation: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            person_number: "personal_identification_number".to_owned(),
            tax_code: "organization_tax_code".to_owned(),
            organisation: "organization_name".to_owned(),
        }
    }
}

/// How long sessions last. Idle: since the last request. Absolute: since sign-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionTimes {
    /// Idle minutes of a person.
    pub person_idle_minutes: u32,
    /// Absolute hours of a person.
    pub person_hours: u32,
    /// Idle minutes of an officer.
    pub officer_idle_minutes: u32,
    /// Absolute hours of an officer: a working day.
    pub officer_hours: u32,
}

impl Default for SessionTimes {
    fn default() -> Self {
        Self {
            person_idle_minutes: 60,
            person_hours: 12,
            officer_idle_minutes: 120,
            officer_hours: 12,
        }
    }
}

/// When guessing is stopped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// Tries per login name.
    pub per_login: u32,
    /// Tries per client address: an office shares one, so it is higher.
    pub per_address: u32,
    /// Minutes within which tries count together.
    pub window_minutes: u32,
    /// Minutes for which sign-in by password then stays closed.
    pub lock_minutes: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            per_login: 5,
            per_address: 50,
            window_minutes: 15,
            lock_minutes: 15,
        }
    }
}

impl Config {
    /// Whether people reach this node by TLS.
    pub(crate) fn tls(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    pub(crate) fn oidc_timeout(&self) -> Duration {
        Duration::from_secs(self.oidc.as_ref().map_or(10, |o| o.timeout_seconds.clamp(1, 60)))
    }

    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// `Invalid`, with every setting that is wrong.
    pub fn check(&self) -> Result<()> {
        let mut problems = Problems::new();
        let url = webauthn_rs::prelude::Url::parse(&self.public_url);
        let good = url.is_ok_and(|u| {
            matches!(u.scheme(), "http" | "https") && u.has_host() && u.path() == "/" && u.query().is_none()
        });
        if !good {
            problems.add(
                "url",
                "identity.public_url",
                "Cần một địa chỉ http hoặc https không có đường dẫn, ví dụ https://motcua.example.gov.vn.",
                "Needs an http or https address without a path, such as https://motcua.example.gov.vn.",
            );
        }
        if let Some(oidc) = &self.oidc {
            if webauthn_rs::prelude::Url::parse(&oidc.issuer).is_err() {
                problems.add(
                    "url",
                    "identity.oidc.issuer",
                    "Địa chỉ hệ thống định danh không hợp lệ.",
                    "The address of the e-ID is not a URL.",
                );
            }
            if oidc.acr.is_empty() || oidc.acr.values().any(|level| !(1..=2).contains(level)) {
                problems.add(
                    "acr",
                    "identity.oidc.acr",
                    "Mỗi giá trị acr phải ứng với mức độ 1 hoặc 2.",
                    "Each acr value stands for level 1 or 2.",
                );
            }
        }
        problems.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        assert!(Config::default().check().is_ok());
        let mut config = Config {
            public_url: "motcua.vn/x".into(),
            ..Config::default()
        };
        config.oidc = Some(Oidc {
            issuer: "nowhere".into(),
            client_id: "x".into(),
            client_secret: None,
            scopes: Vec::new(),
            acr: BTreeMap::from([("gold".to_owned(), 3)]),
            claims: ClaimNames::default(),
            timeout_seconds: 10,
            name: Text::default(),
        });
        let error = config.check().expect_err("three problems");
        assert_eq!(error.problems().map(|p| p.iter().count()), Some(3));
    }
}
