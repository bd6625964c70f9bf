//! How a pure function says what is wrong: an enum of reasons, each with a stable code and a sentence in both
//! languages.

/// Declares such an enum. The English sentence is also the documentation of its variant.
macro_rules! reasons {
    ($(#[$meta:meta])* pub enum $name:ident { $($variant:ident = $code:literal, $vi:literal, $en:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $en] $variant,)+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name for programs.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// What is wrong and what to do.
            pub fn text(self) -> ::base::Text {
                match self {
                    $(Self::$variant => ::base::Text::new($vi, $en),)+
                }
            }
        }

        impl From<$name> for ::base::codes::CodeError {
            fn from(reason: $name) -> Self {
                let ::base::Text { vi, en } = reason.text();
                Self::new(reason.code(), vi, en)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.text().en)
            }
        }

        impl std::error::Error for $name {}
    };
}
pub(crate) use reasons;
