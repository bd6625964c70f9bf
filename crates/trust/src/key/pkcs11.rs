//! A private key in a hardware security module, through PKCS#11 (OASIS, version 2.40 and later).
//!
//! A session signs one message at a time, so finished ones wait in a pool for the next. When the token was unplugged,
//! logged out or its daemon restarted, all sessions are dead: they are thrown away, the token is looked for again,
//! logged in to again, and the signature tried once more.

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11},
    error::{Error, RvError},
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use der::{
    Decode, Encode, Sequence,
    asn1::{OctetStringRef, UintRef},
};

use super::{Algorithm, KeyError, PublicKey, Signer, TokenUri, file::read_private};

/// Sessions that wait for the next signature at most; a token allows only so many.
const IDLE_SESSIONS: usize = 16;

/// DER of the name of P-256, as `CKA_EC_PARAMS` holds it.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// The names of Ed25519 in `CKA_EC_PARAMS` (PKCS#11 3.0 current mechanisms, section 2.3.5): a string, or the OID of
/// RFC 8410.
const ED25519_NAME: &[u8] = b"\x13\x0cedwards25519";
const ED25519_OID: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// A private key that never leaves its token.
pub struct TokenKey {
    module: Pkcs11,
    uri: TokenUri,
    public: PublicKey,
    idle: Mutex<Vec<Ready>>,
    /// The token has refused the PIN once. A second try could lock it.
    pin_refused: AtomicBool,
}

/// A session that is logged in, with the handle of the key in it.
struct Ready {
    session: Session,
    key: ObjectHandle,
}

impl TokenKey {
    /// Finds the key, logs in and reads its public half from the token.
    ///
    /// # Errors
    /// [`KeyError`] with code `hsm-…` that says which of module, token, PIN and key is amiss.
    pub fn open(uri: &TokenUri) -> Result<Self, KeyError> {
        let module = load(uri)?;
        let session = log_in(&module, uri, false)?;
        let key = only_key(&session, uri, ObjectClass::PRIVATE_KEY)?;
        let public = public_half(&session, uri)?;
        Ok(Self {
            module,
            uri: uri.clone(),
            public,
            idle: Mutex::new(vec![Ready { session, key }]),
            pin_refused: AtomicBool::new(false),
        })
    }

    /// Makes a new key pair in the token, not extractable, under the label and id of the URI. The label must be free.
    ///
    /// # Errors
    /// [`KeyError`] when the token refuses, or has such a key already ([`KeyError::Exists`]).
    pub fn generate(uri: &TokenUri, algorithm: Algorithm) -> Result<Self, KeyError> {
        let module = load(uri)?;
        let session = log_in(&module, uri, true)?;
        let failed = |error: Error| device(uri, &error);
        if !session
            .find_objects(&template(uri, ObjectClass::PRIVATE_KEY))
            .map_err(failed)?
            .is_empty()
        {
            return Err(KeyError::Exists(uri.to_string().into()));
        }
        let (mechanism, curve) = match algorithm {
            Algorithm::Ed25519 => (Mechanism::EccEdwardsKeyPairGen, ED25519_NAME),
            Algorithm::EcdsaP256 => (Mechanism::EccKeyPairGen, P256),
        };
        let mut public = names(uri);
        public.extend([
            Attribute::Token(true),
            Attribute::Verify(true),
            Attribute::EcParams(curve.to_vec()),
        ]);
        let mut private = names(uri);
        private.extend([
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ]);
        session
            .generate_key_pair(&mechanism, &public, &private)
            .map_err(failed)?;
        Self::open(uri)
    }

    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Trouble> {
        let idle = self.idle().pop();
        let ready = match idle {
            Some(ready) => ready,
            None => self.connect().map_err(Trouble::Final)?,
        };
        let signature = match self.public.algorithm() {
            Algorithm::Ed25519 => {
                let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
                ready.session.sign(&pure, ready.key, message)
            }
            Algorithm::EcdsaP256 => {
                let hash = digest(&SHA256, message);
                ready.session.sign(&Mechanism::Ecdsa, ready.key, hash.as_ref())
            }
        }
        .map_err(|error| {
            if is_loss(&error) {
                Trouble::Lost
            } else {
                Trouble::Final(device(&self.uri, &error))
            }
        })?;
        let mut idle = self.idle();
        if idle.len() < IDLE_SESSIONS {
            idle.push(ready);
        }
        drop(idle);
        match self.public.algorithm() {
            Algorithm::Ed25519 => Ok(signature),
            Algorithm::EcdsaP256 => ecdsa_der(&signature).ok_or_else(|| {
                Trouble::Final(KeyError::Device {
                    token: self.uri.token.clone(),
                    reason: "a signature of another length".to_owned(),
                })
            }),
        }
    }

    fn connect(&self) -> Result<Ready, KeyError> {
        if self.pin_refused.load(Ordering::Acquire) {
            return Err(KeyError::Pin(self.uri.token.clone()));
        }
        let session = log_in(&self.module, &self.uri, false).inspect_err(|error| {
            if matches!(error, KeyError::Pin(_)) {
                self.pin_refused.store(true, Ordering::Release);
            }
        })?;
        let key = only_key(&session, &self.uri, ObjectClass::PRIVATE_KEY)?;
        // Another token may sit in the slot now, with a key of the same name.
        if public_half(&session, &self.uri)? != self.public {
            return Err(KeyError::KeyAbsent {
                token: self.uri.token.clone(),
                key: self.public.id().to_string(),
            });
        }
        Ok(Ready { session, key })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Ready>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why one try at a signature failed.
enum Trouble {
    /// The session is dead; a new one may do.
    Lost,
    Final(KeyError),
}

impl Signer for TokenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self.try_sign(message) {
            Ok(signature) => Ok(signature),
            Err(Trouble::Final(error)) => Err(error),
            Err(Trouble::Lost) => {
                tracing::warn!(token = %self.uri.token, "the session with the token is lost; logging in again");
                self.idle().clear();
                self.try_sign(message).map_err(|trouble| match trouble {
                    Trouble::Final(error) => error,
                    Trouble::Lost => KeyError::TokenAbsent(self.uri.token.clone()),
                })
            }
        }
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({} {:?})", self.uri, self.public)
    }
}

fn load(uri: &TokenUri) -> Result<Pkcs11, KeyError> {
    let failed = |error: Error| KeyError::Module {
        path: uri.module.clone(),
        reason: error.to_string(),
    };
    let module = Pkcs11::new(&uri.module).map_err(failed)?;
    initialize(&module).map_err(failed)?;
    Ok(module)
}

/// Once per process and module; others of this process may have done it.
fn initialize(module: &Pkcs11) -> Result<(), Error> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        other => other,
    }
}

fn log_in(module: &Pkcs11, uri: &TokenUri, writable: bool) -> Result<Session, KeyError> {
    let failed = |error: Error| device(uri, &error);
    let slot = find_slot(module, uri)
        .map_err(failed)?
        .ok_or_else(|| KeyError::TokenAbsent(uri.token.clone()))?;
    let session = if writable {
        module.open_rw_session(slot)
    } else {
        module.open_ro_session(slot)
    }
    .map_err(failed)?;
    let pin = match &uri.pin_file {
        Some(file) => Some(AuthPin::from(read_private(file)?.trim_end().to_owned())),
        None => None,
    };
    match session.login(UserType::User, pin.as_ref()) {
        // Logging in holds for all sessions of this process.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(error) => Err(failed(error)),
    }
}

/// Slots are numbered anew when a token comes back, so it is found by its label.
fn find_slot(module: &Pkcs11, uri: &TokenUri) -> Result<Option<Slot>, Error> {
    let slots = match module.get_slots_with_token() {
        Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) => {
            initialize(module)?;
            module.get_slots_with_token()
        }
        slots => slots,
    }?;
    Ok(slots.into_iter().find(|slot| {
        // A token that goes away while it is asked is not the one.
        module.get_token_info(*slot).is_ok_and(|about| {
            about.label() == uri.token
                && uri
                    .serial
                    .as_deref()
                    .is_none_or(|serial| about.serial_number() == serial)
        })
    }))
}

fn names(uri: &TokenUri) -> Vec<Attribute> {
    let label = uri
        .object
        .as_ref()
        .map(|label| Attribute::Label(label.as_bytes().to_vec()));
    let id = uri.id.as_ref().map(|id| Attribute::Id(id.clone()));
    label.into_iter().chain(id).collect()
}

fn template(uri: &TokenUri, class: ObjectClass) -> Vec<Attribute> {
    let mut template = names(uri);
    template.push(Attribute::Class(class));
    template
}

fn only_key(session: &Session, uri: &TokenUri, class: ObjectClass) -> Result<ObjectHandle, KeyError> {
    let found = session
        .find_objects(&template(uri, class))
        .map_err(|error| device(uri, &error))?;
    match found.as_slice() {
        [key] => Ok(*key),
        _ => Err(KeyError::KeyAbsent {
            token: uri.token.clone(),
            key: uri.key_name(),
        }),
    }
}

/// Curve and point stand in the public object beside the private one.
fn public_half(session: &Session, uri: &TokenUri) -> Result<PublicKey, KeyError> {
    let object = only_key(session, uri, ObjectClass::PUBLIC_KEY)?;
    let wanted = [AttributeType::KeyType, AttributeType::EcParams, AttributeType::EcPoint];
    let (mut kind, mut curve, mut point) = (None, None, None);
    for attribute in session
        .get_attributes(object, &wanted)
        .map_err(|error| device(uri, &error))?
    {
        match attribute {
            Attribute::KeyType(value) => kind = Some(value),
            Attribute::EcParams(value) => curve = Some(value),
            Attribute::EcPoint(value) => point = Some(value),
            _ => {}
        }
    }
    let curve = curve.unwrap_or_default();
    let algorithm = match kind {
        Some(KeyType::EC) if curve == P256 => Algorithm::EcdsaP256,
        Some(KeyType::EC_EDWARDS) if curve == ED25519_NAME || curve == ED25519_OID => Algorithm::Ed25519,
        _ => return Err(KeyError::Algorithm),
    };
    let point = point.unwrap_or_default();
    // The standard wraps the point in an OCTET STRING; some modules do not.
    let bare = <&OctetStringRef>::from_der(&point).map_or(point.as_slice(), OctetStringRef::as_bytes);
    PublicKey::from_raw(algorithm, bare)
}

/// Whether the token has forgotten the session or the login, so that a new one may do.
const fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::UserNotLoggedIn
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::CryptokiNotInitialized
                | RvError::OperationActive
                | RvError::GeneralError
                | RvError::FunctionFailed,
            _
        )
    )
}

fn device(uri: &TokenUri, error: &Error) -> KeyError {
    let token = uri.token.clone();
    match error {
        Error::Pkcs11(
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinExpired,
            Function::Login,
        ) => KeyError::Pin(token),
        Error::Pkcs11(RvError::PinLocked, _) => KeyError::PinLocked(token),
        Error::Pkcs11(RvError::TokenNotPresent | RvError::TokenNotRecognized | RvError::DeviceRemoved, _) => {
            KeyError::TokenAbsent(token)
        }
        other => KeyError::Device {
            token,
            reason: other.to_string(),
        },
    }
}

/// `r ‖ s` as PKCS#11 gives it, to the `Ecdsa-Sig-Value` that everybody else wants (RFC 3279 section 2.2.3).
fn ecdsa_der(signature: &[u8]) -> Option<Vec<u8>> {
    #[derive(Sequence)]
    struct EcdsaSigValue<'a> {
        r: UintRef<'a>,
        s: UintRef<'a>,
    }

    if signature.len() != 64 {
        return None;
    }
    let (r, s) = signature.split_at(32);
    EcdsaSigValue {
        r: UintRef::new(r).ok()?,
        s: UintRef::new(s).ok()?,
    }
    .to_der()
    .ok()
}
