//! Where a private key is: the path of a file, or a PKCS#11 URI (RFC 7512).

use std::{fmt, path::PathBuf, str::FromStr};

use super::KeyError;
use crate::explained::Detail;

/// The place of a private key, as the configuration writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file with PKCS#8 in PEM.
    File(PathBuf),
    /// A key in an HSM.
    Token(TokenUri),
}

/// The parts of a PKCS#11 URI that name one key and say how to reach it:
/// `pkcs11:token=Một%20Cửa;object=node?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/motcua/pin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenUri {
    /// The module of the manufacturer: `module-path`.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The serial number of the token, where several have one label.
    pub serial: Option<String>,
    /// The label of the key: `object`.
    pub object: Option<String>,
    /// The identifier of the key: `id`, any bytes.
    pub id: Option<Vec<u8>>,
    /// The file with the PIN, under the same rule as a key file; none for a token with its own keypad.
    pub pin_file: Option<PathBuf>,
}

impl FromStr for Location {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text.strip_prefix("pkcs11:") {
            Some(rest) => Ok(Self::Token(TokenUri::parse(rest)?)),
            None if text.is_empty() => Err(KeyError::Location(Detail::new("để trống", "it is empty"))),
            None => Ok(Self::File(text.into())),
        }
    }
}

impl TokenUri {
    /// What follows `pkcs11:`.
    fn parse(rest: &str) -> Result<Self, KeyError> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut token, mut serial, mut object, mut id) = (None, None, None, None);
        let (mut module, mut pin) = (None, None);
        for (part, separator) in [(path, ';'), (query, '&')] {
            for attribute in part.split(separator).filter(|a| !a.is_empty()) {
                let (name, value) = attribute.split_once('=').ok_or(KeyError::Location(Detail::new(
                    "một thuộc tính không có giá trị",
                    "an attribute has no value",
                )))?;
                let value = percent_decoded(value)?;
                let place = match name {
                    "token" => &mut token,
                    "serial" => &mut serial,
                    "object" => &mut object,
                    "id" => &mut id,
                    "module-path" => &mut module,
                    "pin-source" => &mut pin,
                    "type" if value == b"private" => continue,
                    "pin-value" => {
                        return Err(KeyError::Location(Detail::new(
                            "ai đọc cấu hình cũng thấy pin-value; hãy dùng pin-source",
                            "pin-value is visible to all who read it; use pin-source",
                        )));
                    }
                    _ => {
                        return Err(KeyError::Location(Detail::new(
                            "có thuộc tính lạ",
                            "an attribute that is not known here",
                        )));
                    }
                };
                // RFC 7512 section 2.3: an attribute stands once.
                if place.replace(value).is_some() {
                    return Err(KeyError::Location(Detail::new(
                        "một thuộc tính ghi hai lần",
                        "an attribute stands twice",
                    )));
                }
            }
        }
        if object.is_none() && id.is_none() {
            return Err(KeyError::Location(Detail::new(
                "thiếu object và id",
                "neither object nor id",
            )));
        }
        Ok(Self {
            module: text(module.ok_or(KeyError::Location(Detail::new("thiếu module-path", "no module-path")))?)?.into(),
            token: text(token.ok_or(KeyError::Location(Detail::new("thiếu token", "no token")))?)?,
            serial: serial.map(text).transpose()?,
            object: object.map(text).transpose()?,
            id,
            pin_file: pin.map(pin_file).transpose()?,
        })
    }

    /// The whole URI, as [`Location`] reads it.
    pub fn to_uri(&self) -> String {
        let mut path = format!("pkcs11:token={}", percent_encoded(self.token.as_bytes()));
        let mut add = |name: &str, value: Option<&[u8]>| {
            if let Some(value) = value {
                path += &format!(";{name}={}", percent_encoded(value));
            }
        };
        add("serial", self.serial.as_deref().map(str::as_bytes));
        add("object", self.object.as_deref().map(str::as_bytes));
        add("id", self.id.as_deref());
        path += &format!(
            "?module-path={}",
            percent_encoded(self.module.as_os_str().as_encoded_bytes())
        );
        if let Some(pin) = &self.pin_file {
            path += &format!(
                "&pin-source=file:{}",
                percent_encoded(pin.as_os_str().as_encoded_bytes())
            );
        }
        path
    }

    /// How refusals name the key.
    pub(super) fn key_name(&self) -> String {
        match (&self.object, &self.id) {
            (Some(object), _) => object.clone(),
            (None, id) => hex::encode(id.as_deref().unwrap_or_default()),
        }
    }
}

impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.token, self.key_name())
    }
}

/// `file:/path`, or a bare path (RFC 7512 section 2.4). Commands (`|…`) are not run.
fn pin_file(value: Vec<u8>) -> Result<PathBuf, KeyError> {
    let value = text(value)?;
    let path = value.strip_prefix("file:").unwrap_or(&value);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.starts_with('/') {
        Ok(path.into())
    } else {
        Err(KeyError::Location(Detail::new(
            "pin-source phải là file: và đường dẫn tuyệt đối",
            "pin-source is not file: and an absolute path",
        )))
    }
}

fn text(bytes: Vec<u8>) -> Result<String, KeyError> {
    String::from_utf8(bytes).map_err(|_| {
        KeyError::Location(Detail::new(
            "một thuộc tính không phải UTF-8",
            "an attribute is not UTF-8",
        ))
    })
}

fn percent_encoded(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for &byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn percent_decoded(value: &str) -> Result<Vec<u8>, KeyError> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = after.get(..2).ok_or(KeyError::Location(Detail::new(
                "dấu % không có hai chữ số theo sau",
                "a % without two digits",
            )))?;
            let byte = hex::decode(digits).map_err(|_| {
                KeyError::Location(Detail::new(
                    "dấu % không có hai chữ số theo sau",
                    "a % without two digits",
                ))
            })?;
            out.extend(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(byte);
            rest = after;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_token_key_module_and_pin() {
        let text = "pkcs11:token=M%E1%BB%99t%20C%E1%BB%ADa;object=node;id=%01%ff;type=private\
                    ?module-path=/usr/lib/p11.so&pin-source=file:///etc/motcua/pin";
        let Ok(Location::Token(uri)) = text.parse() else {
            panic!("a whole URI")
        };
        assert_eq!(uri.token, "Một Cửa");
        assert_eq!(uri.id.as_deref(), Some(&[1, 255][..]));
        assert_eq!(uri.pin_file, Some("/etc/motcua/pin".into()));
        assert_eq!(
            "/etc/motcua/node.pem".parse(),
            Ok(Location::File("/etc/motcua/node.pem".into()))
        );
    }

    #[test]
    fn a_uri_is_written_as_it_is_read() {
        let uri = TokenUri {
            module: "/usr/lib/softhsm/libsofthsm2.so".into(),
            token: "Một Cửa; 1&2".to_owned(),
            serial: Some("ab".to_owned()),
            object: Some("ss1-tls".to_owned()),
            id: Some(vec![0, 255]),
            pin_file: Some("/etc/motcua/mã pin".into()),
        };
        assert_eq!(uri.to_uri().parse::<Location>().expect("a URI"), Location::Token(uri));
    }

    #[test]
    fn a_uri_that_says_too_little_or_too_much_is_refused() {
        for wrong in [
            "",
            "pkcs11:",
            "pkcs11:token=a;object=b",
            "pkcs11:token=a?module-path=/m",
            "pkcs11:token=a;token=b;object=c?module-path=/m",
            "pkcs11:token=a;object=b?module-path=/m&pin-value=1234",
            "pkcs11:token=a;object=b?module-path=/m&pin-source=%7Ccat%20/pin",
            "pkcs11:token=a;object=b;slot-id=1?module-path=/m",
            "pkcs11:token=a;object=%4?module-path=/m",
            "pkcs11:token=%ff;object=b?module-path=/m",
        ] {
            assert!(
                matches!(wrong.parse::<Location>(), Err(KeyError::Location(_))),
                "{wrong}"
            );
        }
    }
}
