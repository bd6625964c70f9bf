//! Components. Each function gives a value that a template prints with `{{ … }}`; its methods, all optional, say the rest.
//! Whatever is passed in is escaped. Texts are anything that implements `Display`, by value or by reference,
//! because templates pass both.

use std::borrow::Borrow;

mod field;
mod icon;
mod lists;
mod parts;

pub use field::{
    Choice, Field, autocomplete, checkbox, checkboxes, date, email, hidden, input, money, number, password, phone,
    radios, select, textarea, upload,
};
pub use icon::{ICONS, Icon, icon};
pub use lists::*;
pub use parts::*;

/// How a message or a status is meant. Never told by colour alone: each tone also has its own mark or words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tone {
    /// Nothing to note.
    #[default]
    Neutral,
    /// For information; under way.
    Info,
    /// Done, in time, in order.
    Good,
    /// Needs attention soon.
    Warn,
    /// Too late, refused, failed.
    Late,
}

impl Tone {
    /// The end of the CSS class: `neutral`, `info`, `good`, `warn`, `late`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Late => "late",
        }
    }

    /// The icon that stands for the tone.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Neutral | Self::Info => "info",
            Self::Good => "check",
            Self::Warn => "clock",
            Self::Late => "warning",
        }
    }
}

/// A text or none; what `error`, `value` and the like take, so that a template can pass an `Option` as it is.
pub trait MaybeText {
    /// The text, if there is one.
    fn maybe(&self) -> Option<String>;
}

impl<T: MaybeText + ?Sized> MaybeText for &T {
    fn maybe(&self) -> Option<String> {
        (**self).maybe()
    }
}

impl<T: MaybeText> MaybeText for Option<T> {
    fn maybe(&self) -> Option<String> {
        self.as_ref().and_then(MaybeText::maybe)
    }
}

macro_rules! maybe_text {
    ($($ty:ty)*) => { $(impl MaybeText for $ty {
        fn maybe(&self) -> Option<String> {
            Some(self.to_string())
        }
    })* };
}
maybe_text!(str String std::borrow::Cow<'_, str> i32 i64 u8 u16 u32 u64 usize);

/// `true` or `false` by value or by reference.
fn yes(value: impl Borrow<bool>) -> bool {
    *value.borrow()
}

/// Text that is safe to print as it is, made by a component.
macro_rules! html_safe {
    ($($ty:ty),* $(,)?) => { $(impl askama::filters::HtmlSafe for $ty {})* };
}
use html_safe;

/// An HTML id or attribute name cannot hold white space or quotes.
fn token(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '=' | '/') {
                '-'
            } else {
                c
            }
        })
        .collect()
}
