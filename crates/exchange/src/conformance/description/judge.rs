//! Compiles schemas and judges values by them, without ever reading anything from elsewhere, and within bounds: a
//! description is a stranger's, and so are the values.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jsonschema::{Draft, PatternOptions, Registry, Validator};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    Description,
    document::{Document, local},
    fields,
};

/// Under which name the document stands in the registry.
const NAME: &str = "urn:motcua:description";

/// Longest time to compile a schema or to judge a value.
const PATIENCE: Duration = Duration::from_secs(5);

/// After so many that took longer, nothing is judged any more.
const MOST_LATE: u32 = 3;

/// The stack of the thread that does it.
const STACK: usize = 16 * 1024 * 1024;

/// Judges values by schemas of a description.
pub(in crate::conformance) struct Judge {
    registry: Option<Arc<Registry<'static>>>,
    compiled: HashMap<String, Option<Arc<Validator>>>,
    sizes: HashMap<String, Size>,
    late: u32,
}

/// What a schema says of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::conformance) enum Verdict {
    Valid,
    /// Where in the value, and why.
    Invalid {
        at: String,
        why: String,
    },
    /// The schema cannot be used, or the judgement took too long; `schema-valid` says what is wrong with the schema.
    Unknown,
}

impl Judge {
    /// Takes the document in.
    pub async fn new(description: &Description) -> Self {
        let mut judge = Self {
            registry: None,
            compiled: HashMap::new(),
            sizes: HashMap::new(),
            late: 0,
        };
        let root = description.root().clone();
        let prepared = judge.within(move || {
            let builder = Registry::new().draft(Draft::Draft202012).retriever(Nowhere);
            let prepared = builder.add(NAME, root).and_then(|builder| builder.prepare());
            prepared.ok().map(Arc::new)
        });
        judge.registry = prepared.await.flatten();
        judge
    }

    /// Whether a schema can be used.
    ///
    /// # Errors
    /// Why not, in English: it is the wording of the schema library.
    pub async fn check_schema(&mut self, description: &Description, pointer: &str) -> Result<(), String> {
        let Some(schema) = description.document.at(pointer).cloned() else {
            return Err("there is no schema".to_owned());
        };
        if !written_out(&description.document, pointer, &mut self.sizes, 0).is_reasonable() {
            self.compiled.insert(pointer.to_owned(), None);
            return Err("it is too large or too deep when its references are written out".to_owned());
        }
        let metaschema = self.within(move || {
            jsonschema::draft202012::meta::validate(&schema)
                .map_err(|error| format!("{}: {}", error.instance_path(), short(&error.to_string())))
        });
        match metaschema.await {
            Some(Err(why)) => Err(why),
            None => Err("it took too long".to_owned()),
            Some(Ok(())) => match self.validator(pointer).await {
                Some(_) => Ok(()),
                None => Err(
                    "it cannot be compiled: a pattern that is no regular expression, or a reference to nothing"
                        .to_owned(),
                ),
            },
        }
    }

    /// Judges a value by the schema at a pointer.
    pub async fn judge(&mut self, pointer: &str, value: &Value) -> Verdict {
        let Some(validator) = self.validator(pointer).await else {
            return Verdict::Unknown;
        };
        let value = value.clone();
        let judged = self.within(move || match validator.iter_errors(&value).next() {
            None => Verdict::Valid,
            Some(error) => Verdict::Invalid {
                at: error.instance_path().to_string(),
                why: short(&error.to_string()),
            },
        });
        judged.await.unwrap_or(Verdict::Unknown)
    }

    /// Whether a schema takes a value; one that cannot be used takes everything.
    pub async fn takes(&mut self, pointer: &str, value: &Value) -> bool {
        !matches!(self.judge(pointer, value).await, Verdict::Invalid { .. })
    }

    async fn validator(&mut self, pointer: &str) -> Option<Arc<Validator>> {
        if let Some(known) = self.compiled.get(pointer) {
            return known.clone();
        }
        let registry = self.registry.clone()?;
        let reference = json!({ "$ref": format!("{NAME}#{}", escape(pointer)) });
        let built = self.within(move || {
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .with_registry(&registry)
                .with_retriever(Nowhere)
                .with_pattern_options(
                    PatternOptions::fancy_regex()
                        .backtrack_limit(100_000)
                        .size_limit(1 << 20),
                )
                .should_validate_formats(true)
                .build(&reference)
                .ok()
                .map(Arc::new)
        });
        let built = built.await.flatten();
        self.compiled.insert(pointer.to_owned(), built.clone());
        built
    }
}

impl Judge {
    /// Runs work on a thread of its own and waits for it for a while. A thread that goes on is left to itself: it holds
    /// nothing but its own copy, and ends with the process.
    async fn within<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        if self.late >= MOST_LATE {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::Builder::new().name("judge".into()).stack_size(STACK);
        thread
            .spawn(move || {
                // Nobody may be waiting any more.
                let _ = sender.send(work());
            })
            .ok()?;
        match tokio::time::timeout(PATIENCE, receiver).await {
            Ok(done) => done.ok(),
            Err(_) => {
                self.late += 1;
                None
            }
        }
    }
}

/// Fetches nothing.
struct Nowhere;

impl jsonschema::Retrieve for Nowhere {
    fn retrieve(&self, _: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("nothing is fetched".into())
    }
}

/// How large a schema is when its references are written out; a circle counts once.
#[derive(Debug, Clone, Copy)]
struct Size {
    schemas: u64,
    levels: u32,
}

impl Size {
    const ONE: Self = Self { schemas: 1, levels: 1 };

    /// What the schema library may be given: it recurses, and follows each reference.
    const fn is_reasonable(self) -> bool {
        self.schemas <= 1_000_000 && self.levels <= 300
    }

    fn hold(&mut self, inner: Self) {
        self.schemas = self.schemas.saturating_add(inner.schemas);
        self.levels = self.levels.max(inner.levels.saturating_add(1));
    }
}

fn written_out(document: &Document, pointer: &str, known: &mut HashMap<String, Size>, deep: u32) -> Size {
    if let Some(size) = known.get(pointer) {
        return *size;
    }
    if deep > 400 {
        return Size {
            schemas: 1,
            levels: u32::MAX,
        };
    }
    let Some(schema) = document.at(pointer) else {
        return Size::ONE;
    };
    known.insert(pointer.to_owned(), Size::ONE);
    let mut size = Size::ONE;
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(local) {
        size.hold(written_out(document, &target, known, deep + 1));
    }
    for (inner, _) in fields::inside(schema, pointer) {
        size.hold(written_out(document, &inner, known, deep + 1));
    }
    known.insert(pointer.to_owned(), size);
    size
}

/// A pointer as a fragment of a URI.
fn escape(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'/'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'!'
            | b'$'
            | b'&'
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b':'
            | b'@' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn short(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
