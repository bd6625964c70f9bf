//! People signing in by the national e-ID: OpenID Connect authorization code flow with PKCE, state and nonce.

use std::{collections::HashMap, time::Duration};

use base::{Error, Kind, Result, Timestamp};
use jiff::civil::Date;
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode, Client,
    ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, StandardErrorResponse, StandardTokenResponse, TokenResponse as _, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
    reqwest,
};
use serde::{Deserialize, Serialize};
use store::transact;

use super::{IdentityState, Opened, Origin, people::is_person_number};
use crate::{
    Ctx,
    config::{ClaimNames, Oidc},
    model::{Assurance, NewAccount, Organisation, Sex},
    secret::token_hash,
    store::{put_step, take_step},
};

/// The kind of a sign-in under way at the e-ID.
const KIND: &str = "oidc";
/// Seconds that a person has at the e-ID.
const STEP_LIFE: i64 = 900;
/// Seconds for which the discovery document and keys are believed.
const DISCOVERY_LIFE: i64 = 3600;
/// Signature algorithms that are accepted; never `none`, never a shared secret.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 5] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The claims that OpenID Connect does not define.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Extra(HashMap<String, serde_json::Value>);
impl AdditionalClaims for Extra {}

type TokenFields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type TokenResponse = StandardTokenResponse<TokenFields, CoreTokenType>;
type Rp = Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type Claims = IdTokenClaims<Extra, CoreGenderClaim>;
type UserInfo = UserInfoClaims<Extra, CoreGenderClaim>;

/// What was discovered about the e-ID.
#[derive(Clone)]
pub(super) struct Provider {
    metadata: CoreProviderMetadata,
    at: Timestamp,
}

/// A sign-in that waits for the person to come back.
#[derive(Serialize, Deserialize)]
struct Pending {
    nonce: String,
    verifier: String,
    least: Assurance,
    next: String,
}

/// What the e-ID sends back with the person.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Callback {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
}

fn unreachable(error: impl std::fmt::Display) -> Error {
    tracing::warn!(%error, "the e-ID does not answer as it should");
    Error::refused(
        Kind::Unavailable,
        "e-id-unavailable",
        "Hệ thống định danh điện tử tạm thời không phản hồi. Vui lòng thử lại sau ít phút.",
        "The national e-ID does not answer at the moment. Please try again in a few minutes.",
    )
}

fn refused(code: &str, vi: &str, en: &str) -> Error {
    Error::refused(Kind::Forbidden, code, vi, en)
}

/// The person is told no more than that it did not work; the log says why.
fn untrusted(reason: impl std::fmt::Display) -> Error {
    tracing::warn!(%reason, "an answer of the e-ID was refused");
    refused(
        "e-id-untrusted",
        "Không xác minh được kết quả đăng nhập từ hệ thống định danh điện tử. Vui lòng đăng nhập lại.",
        "The answer of the national e-ID could not be verified. Please sign in again.",
    )
}

impl IdentityState {
    fn oidc(&self) -> Result<&Oidc> {
        self.0.config.oidc.as_ref().ok_or_else(|| {
            Error::refused(
                Kind::NotFound,
                "e-id-off",
                "Cổng này chưa kết nối hệ thống định danh điện tử.",
                "This site is not connected to the national e-ID.",
            )
        })
    }

    fn http(&self) -> Result<reqwest::Client> {
        let timeout = self.0.config.oidc_timeout();
        let builder = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(Duration::from_secs(5));
        // A redirect could lead the client to an address inside the network.
        builder
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Error::internal)
    }

    /// What is known of the e-ID: discovered at first use and once an hour.
    async fn provider(&self, http: &reqwest::Client, now: Timestamp) -> Result<Provider> {
        let fresh = |p: &Provider| p.at.plus_seconds(DISCOVERY_LIFE) > now && p.at <= now;
        if let Some(provider) = self.0.provider.read().await.as_ref().filter(|p| fresh(p)) {
            return Ok(provider.clone());
        }
        let mut slot = self.0.provider.write().await;
        if let Some(provider) = slot.as_ref().filter(|p| fresh(p)) {
            return Ok(provider.clone());
        }
        let issuer = IssuerUrl::new(self.oidc()?.issuer.clone()).map_err(Error::internal)?;
        match CoreProviderMetadata::discover_async(issuer, http).await {
            Ok(metadata) => {
                let provider = Provider { metadata, at: now };
                *slot = Some(provider.clone());
                Ok(provider)
            }
            // Old knowledge is better than a closed door.
            Err(error) => match slot.clone() {
                Some(stale) => {
                    tracing::warn!(%error, "the e-ID could not be discovered again");
                    Ok(stale)
                }
                None => Err(unreachable(error)),
            },
        }
    }

    fn client(&self, provider: Provider) -> Result<Rp> {
        let oidc = self.oidc()?;
        let secret = oidc.client_secret.clone().map(ClientSecret::new);
        let back = format!(
            "{}/sign-in/oidc/callback",
            self.0.config.public_url.trim_end_matches('/')
        );
        let redirect = RedirectUrl::new(back).map_err(Error::internal)?;
        let client = Client::from_provider_metadata(provider.metadata, ClientId::new(oidc.client_id.clone()), secret);
        Ok(client.set_redirect_uri(redirect))
    }

    /// Begins a sign-in at the e-ID: the address to send the person to, and the token of the cookie that must come back.
    ///
    /// # Errors
    /// `NotFound` without an e-ID in the settings; `Unavailable` when it does not answer.
    pub(crate) async fn begin_oidc(&self, ctx: &Ctx, least: Assurance, next: &str) -> Result<(String, String)> {
        let oidc = self.oidc()?;
        let http = self.http()?;
        let client = self.client(self.provider(&http, ctx.now).await?)?;
        let state = self.0.entropy.token()?;
        let nonce = self.0.entropy.token()?;
        let verifier = PkceCodeVerifier::new(self.0.entropy.token()?);
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let (csrf, once) = (CsrfToken::new(state.clone()), Nonce::new(nonce.clone()));
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || csrf,
                move || once,
            )
            .set_pkce_challenge(challenge);
        for scope in &oidc.scopes {
            request = request.add_scope(openidconnect::Scope::new(scope.clone()));
        }
        for acr in oidc.acr_for(least) {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr));
        }
        if least == Assurance::Level2 {
            // A session at the e-ID with the lower level would otherwise be taken as it is.
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, _, _) = request.url();
        let pending = Pending {
            nonce,
            verifier: verifier.into_secret(),
            least,
            next: next.to_owned(),
        };
        let hash = token_hash(&state);
        let sealed = self
            .0
            .keys
            .seal(&self.0.entropy, &hash, &serde_json::to_vec(&pending)?)?;
        transact!(self.0.store, |tx| {
            put_step(&tx, &hash, KIND, &sealed, ctx.now.plus_seconds(STEP_LIFE)).await
        })?;
        Ok((url.to_string(), state))
    }

    /// Ends a sign-in at the e-ID. `cookie` is the token that [`IdentityState::begin_oidc`] put into the browser: a link
    /// that somebody else began is refused.
    ///
    /// # Errors
    /// `Forbidden` for anything that does not verify or is below the level that was asked for.
    pub(crate) async fn finish_oidc(
        &self,
        ctx: &Ctx,
        origin: &Origin,
        cookie: Option<&str>,
        callback: &Callback,
    ) -> Result<(Opened, String)> {
        let oidc = self.oidc()?;
        let state = callback.state.as_deref().unwrap_or_default();
        if !cookie.is_some_and(|cookie| crate::secret::same(cookie, state)) {
            return Err(untrusted("the state is not of this browser"));
        }
        let hash = token_hash(state);
        let sealed = transact!(self.0.store, |tx| { take_step(&tx, &hash, KIND, ctx.now).await })?;
        let sealed = sealed.ok_or_else(|| {
            refused(
                "step-expired",
                "Phiên đăng nhập đã hết hạn. Vui lòng đăng nhập lại từ đầu.",
                "This sign-in has expired. Please start again.",
            )
        })?;
        let pending: Pending = serde_json::from_slice(&self.0.keys.open(&hash, &sealed)?)?;
        if let Some(error) = &callback.error {
            return Err(declined(error));
        }
        let code = callback.code.clone().ok_or_else(|| untrusted("no code"))?;

        let http = self.http()?;
        let client = self.client(self.provider(&http, ctx.now).await?)?;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(unreachable)?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier))
            .request_async(&http)
            .await
            .map_err(|error| match error {
                openidconnect::RequestTokenError::Request(error) => unreachable(error),
                error => untrusted(error),
            })?;
        let claims = self.verified(&client, &tokens, &pending.nonce, ctx.now)?;
        let acr = claims.auth_context_ref().map(|acr| acr.as_str()).unwrap_or_default();
        let Some(level) = oidc.acr.get(acr).map(|level| Assurance::from_level(i64::from(*level))) else {
            return Err(untrusted(format!("the level {acr:?} is not in the settings")));
        };
        if level < pending.least {
            return Err(refused(
                "level-too-low",
                "Việc này cần tài khoản định danh điện tử mức độ 2; tài khoản vừa dùng ở mức độ 1.",
                "This needs the national e-ID at level 2; the account just used is at level 1.",
            ));
        }
        let info = self.user_info(&client, &tokens, &claims, &http).await?;
        let new = new_account(&claims, info.as_ref(), &oidc.claims, level)?;
        Ok((self.sign_in_account(ctx, origin, &new).await?, pending.next))
    }

    /// The claims of the ID token: signature, issuer, audience, expiry, nonce and the hash of the access token hold.
    fn verified(&self, client: &Rp, tokens: &TokenResponse, nonce: &str, now: Timestamp) -> Result<Claims> {
        let id_token = tokens.id_token().ok_or_else(|| untrusted("no ID token"))?;
        let since_epoch = Duration::from_micros(u64::try_from(now.micros()).unwrap_or(0));
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || (std::time::UNIX_EPOCH + since_epoch).into());
        let claims = id_token
            .claims(&verifier, &Nonce::new(nonce.to_owned()))
            .map_err(untrusted)?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(untrusted)?;
            let key = id_token.signing_key(&verifier).map_err(untrusted)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(untrusted)?;
            if actual != *expected {
                return Err(untrusted("the access token is not the one of the ID token"));
            }
        }
        Ok(claims.clone())
    }

    /// What the e-ID tells beside the ID token, where it has an address for that.
    async fn user_info(
        &self,
        client: &Rp,
        tokens: &TokenResponse,
        claims: &Claims,
        http: &reqwest::Client,
    ) -> Result<Option<UserInfo>> {
        if client.user_info_url().is_none() {
            return Ok(None);
        }
        let request = client
            .user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
            .map_err(unreachable)?
            .require_signed_response(false);
        let info = request.request_async(http).await.map_err(|error| match error {
            openidconnect::UserInfoError::Request(error) => unreachable(error),
            error => untrusted(error),
        })?;
        Ok(Some(info))
    }
}

fn declined(error: &str) -> Error {
    match error {
        "access_denied" | "login_required" | "interaction_required" => refused(
            "e-id-declined",
            "Quý vị chưa hoàn tất đăng nhập tại hệ thống định danh điện tử.",
            "You did not complete the sign-in at the national e-ID.",
        ),
        "unmet_authentication_requirements" => refused(
            "level-too-low",
            "Tài khoản định danh điện tử chưa đạt mức độ cần thiết cho việc này.",
            "Your national e-ID does not have the level that this needs.",
        ),
        error => untrusted(error),
    }
}

/// What the two answers say of the person, the ID token first.
fn new_account(claims: &Claims, info: Option<&UserInfo>, names: &ClaimNames, level: Assurance) -> Result<NewAccount> {
    let about = Answers { claims, info };
    let name = about
        .name()
        .filter(|name| !name.trim().is_empty())
        .ok_or_else(|| untrusted("no name"))?;
    let tax_code = about.extra(&names.tax_code);
    let organisation = tax_code.map(|tax_code| Organisation {
        name: about.extra(&names.organisation).unwrap_or_else(|| tax_code.clone()),
        tax_code,
    });
    Ok(NewAccount {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        name: name.trim().chars().filter(|c| !c.is_control()).collect(),
        person_number: about
            .extra(&names.person_number)
            .filter(|number| is_person_number(number)),
        birth_date: about.birth_date(),
        sex: about.gender().and_then(|gender| Sex::from_code(&gender)),
        phone: about.phone(),
        email: about.email(),
        assurance: level,
        organisations: organisation.into_iter().collect(),
        demo: None,
    })
}

struct Answers<'a> {
    claims: &'a Claims,
    info: Option<&'a UserInfo>,
}

impl Answers<'_> {
    fn name(&self) -> Option<String> {
        let full = self.claims.name().or_else(|| self.info?.name())?;
        full.get(None)
            .or_else(|| full.iter().next().map(|(_, name)| name))
            .map(|name| name.as_str().to_owned())
    }
    fn birth_date(&self) -> Option<Date> {
        let date = self.claims.birthdate().or_else(|| self.info?.birthdate())?;
        date.as_str().parse().ok()
    }
    fn gender(&self) -> Option<String> {
        let gender: &CoreGenderClaim = self.claims.gender().or_else(|| self.info?.gender())?;
        Some(gender.as_str().to_owned())
    }
    fn phone(&self) -> Option<String> {
        Some(
            self.claims
                .phone_number()
                .or_else(|| self.info?.phone_number())?
                .as_str()
                .to_owned(),
        )
    }
    fn email(&self) -> Option<String> {
        Some(self.claims.email().or_else(|| self.info?.email())?.as_str().to_owned())
    }
    fn extra(&self, name: &str) -> Option<String> {
        let value = self.claims.additional_claims().0.get(name);
        let value = value.or_else(|| self.info?.additional_claims().0.get(name))?;
        value
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty() && text.len() <= 300)
            .map(str::to_owned)
    }
}
