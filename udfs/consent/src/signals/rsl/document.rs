//! The elements of an RSL document that decide on a use.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};

use crate::signals::url_pattern::UrlPattern;

/// Longer documents, deeper nesting and more attributes are malformed: no licence needs them,
/// and they bound what a document costs.
const LIMIT: usize = 8 << 20;
const DEPTH: usize = 64;
const ATTRIBUTES: usize = 64;

const NAMESPACE: &str = "https://rslstandard.org/rsl";

/// A `content` element (section 3.3).
#[derive(Debug)]
pub(super) struct Content {
    pub url: UrlPattern,
    /// A license server must be asked, or a key be had, before any use.
    pub needs_server: bool,
    pub licenses: Vec<License>,
}

/// A `license` element (section 3.4).
#[derive(Debug, Default)]
pub(super) struct License {
    /// The words of all `permits` for usage (section 3.5).
    pub permits: Option<String>,
    /// The words of all `prohibits` for usage (section 3.6).
    pub prohibits: Option<String>,
    /// The offer asks for something in return, or is not for everyone.
    pub is_conditional: bool,
}

/// The `content` elements of a document; `None` for a malformed one.
pub(super) fn parse(xml: &str) -> Option<Vec<Content>> {
    if xml.len() > LIMIT || xml.contains('\0') {
        return None;
    }
    let xml = xml.strip_prefix('\u{feff}').unwrap_or(xml);
    let mut reader = Reader::from_str(xml);
    let mut document = Document::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => document.open(&tag)?,
            Event::Empty(tag) => {
                document.open(&tag)?;
                document.close()?;
            }
            Event::End(_) => document.close()?,
            Event::Text(text) => document.text(&text.decode().ok()?)?,
            Event::CData(text) => {
                if document.open.is_empty() {
                    return None;
                }
                document.text(&text.decode().ok()?)?;
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().ok()?;
                match reference.resolve_char_ref().ok()? {
                    Some(c) => document.text(c.encode_utf8(&mut [0; 4]))?,
                    None => document.text(resolve_predefined_entity(&name)?)?,
                }
            }
            // Entities that a document declares are not its text: such a document is refused.
            Event::DocType(declared) if declared.contains(&b'[') => return None,
            Event::DocType(_) if document.has_root => return None,
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return document.finish(),
        }
    }
}

#[derive(Default)]
struct Document {
    open: Vec<Element>,
    has_root: bool,
    contents: Vec<Content>,
    content: Option<Content>,
    license: Option<License>,
    /// The text of the `permits` or `prohibits` element that is open.
    words: Option<String>,
}

/// An element that is open.
struct Element {
    role: Role,
    /// Whether a name without a prefix is RSL's here.
    default_is_rsl: bool,
    /// The prefixes declared here, and whether they stand for RSL.
    prefixes: Vec<(Vec<u8>, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Content,
    License,
    Permits(Scope),
    Prohibits(Scope),
    Other,
}

/// What a `permits` or `prohibits` element is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Usage,
    /// Users or places, which are not known here, or what is not known at all.
    Other,
}

impl Document {
    fn open(&mut self, tag: &BytesStart) -> Option<()> {
        let is_root = self.open.is_empty();
        if is_root && self.has_root || self.open.len() >= DEPTH {
            return None;
        }
        self.has_root = true;
        if let Some(words) = &mut self.words {
            words.push(' ');
        }
        let attributes = attributes(tag)?;
        let (mut default_is_rsl, mut prefixes) = self.namespaces(&attributes);
        let name = tag.name();
        if is_root && name.local_name().as_ref() == b"rsl" {
            // A root of this name means RSL, even where it forgets the namespace or misspells
            // it.
            default_is_rsl = true;
            if let Some(prefix) = name.prefix() {
                prefixes.insert(0, (prefix.as_ref().to_owned(), true));
            }
        }
        self.open.push(Element {
            role: Role::Other,
            default_is_rsl,
            prefixes,
        });
        let declared: usize = self.open.iter().map(|element| element.prefixes.len()).sum();
        if declared > ATTRIBUTES {
            return None;
        }
        let is_rsl = match name.prefix() {
            Some(prefix) => self.prefix_is_rsl(prefix.as_ref()),
            None => default_is_rsl,
        };
        if is_rsl {
            let role = self.start(name.local_name().as_ref(), &attributes)?;
            self.open.last_mut()?.role = role;
        }
        Some(())
    }

    fn start(&mut self, name: &[u8], attributes: &Attributes) -> Option<Role> {
        let attribute = |name: &str| attributes.get(name.as_bytes()).map(|value| value.trim());
        let scope = match attribute("type") {
            None => Scope::Usage,
            Some(kind) if kind.eq_ignore_ascii_case("usage") => Scope::Usage,
            Some(_) => Scope::Other,
        };
        Some(match name {
            b"content" => {
                if self.content.is_some() {
                    return None;
                }
                let encrypted = attribute("encrypted").unwrap_or("false");
                self.content = Some(Content {
                    url: UrlPattern::parse(attribute("url")?),
                    needs_server: attribute("server").is_some() || encrypted != "false",
                    licenses: Vec::new(),
                });
                Role::Content
            }
            b"license" if self.content.is_some() => {
                if self.license.is_some() {
                    return None;
                }
                self.license = Some(License::default());
                Role::License
            }
            b"permits" | b"prohibits" if self.license.is_some() => {
                if self.words.is_some() {
                    return None;
                }
                self.words = Some(String::new());
                if name == b"permits" {
                    Role::Permits(scope)
                } else {
                    Role::Prohibits(scope)
                }
            }
            b"payment" => {
                // Without a type it is free (section 3.7), unless it names a price.
                let kind = attribute("type").unwrap_or("free");
                self.condition(!matches!(kind, "free" | "attribution"));
                Role::Other
            }
            b"amount" | b"reporting" => {
                self.condition(true);
                Role::Other
            }
            _ => Role::Other,
        })
    }

    fn condition(&mut self, holds: bool) {
        if let Some(license) = &mut self.license {
            license.is_conditional |= holds;
        }
    }

    fn close(&mut self) -> Option<()> {
        match self.open.pop()?.role {
            Role::Content => {
                let content = self.content.take()?;
                if content.licenses.is_empty() {
                    return None;
                }
                self.contents.push(content);
            }
            Role::License => {
                let license = self.license.take()?;
                self.content.as_mut()?.licenses.push(license);
            }
            Role::Permits(Scope::Usage) => {
                let words = self.words.take()?;
                add_words(&mut self.license.as_mut()?.permits, &words);
            }
            Role::Prohibits(Scope::Usage) => {
                let words = self.words.take()?;
                add_words(&mut self.license.as_mut()?.prohibits, &words);
            }
            Role::Permits(Scope::Other) | Role::Prohibits(Scope::Other) => {
                self.words = None;
                self.condition(true);
            }
            Role::Other => {}
        }
        Some(())
    }

    fn text(&mut self, text: &str) -> Option<()> {
        if self.open.is_empty() && !text.trim_ascii().is_empty() {
            return None;
        }
        if let Some(words) = &mut self.words {
            words.push_str(text);
        }
        Some(())
    }

    fn finish(self) -> Option<Vec<Content>> {
        (self.open.is_empty() && !self.contents.is_empty()).then_some(self.contents)
    }

    /// Whether the default namespace inside a tag is RSL's, and the prefixes the tag declares.
    fn namespaces(&self, attributes: &Attributes) -> (bool, Vec<(Vec<u8>, bool)>) {
        let mut default_is_rsl = self.open.last().is_some_and(|parent| parent.default_is_rsl);
        let mut prefixes = Vec::new();
        for (name, value) in attributes {
            if let Some(prefix) = name.strip_prefix(b"xmlns:") {
                prefixes.push((prefix.to_owned(), is_namespace(value)));
            } else if name == b"xmlns" {
                default_is_rsl = is_namespace(value);
            }
        }
        (default_is_rsl, prefixes)
    }

    /// A prefix that nothing declares, `rsl`, is taken at its word.
    fn prefix_is_rsl(&self, wanted: &[u8]) -> bool {
        let mut declared = self.open.iter().rev().flat_map(|element| &element.prefixes);
        match declared.find(|(prefix, _)| prefix == wanted) {
            Some((_, is_rsl)) => *is_rsl,
            None => wanted == b"rsl",
        }
    }
}

fn add_words(list: &mut Option<String>, words: &str) {
    let list = list.get_or_insert_default();
    list.push(' ');
    list.push_str(words);
}

/// The namespace of the standard, also in the spellings it does not have.
fn is_namespace(uri: &str) -> bool {
    let uri = uri.trim().trim_end_matches('/');
    uri.eq_ignore_ascii_case(NAMESPACE)
        || uri.eq_ignore_ascii_case(&NAMESPACE.replacen("https", "http", 1))
}

type Attributes = BTreeMap<Vec<u8>, String>;

/// All attributes of a tag; `None` if they are not well-formed or too many.
fn attributes(tag: &BytesStart) -> Option<Attributes> {
    let mut found = Attributes::new();
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.ok()?;
        let value = std::str::from_utf8(&attribute.value).ok()?;
        let value = unescape(value).ok()?.into_owned();
        let twice = found
            .insert(attribute.key.as_ref().to_owned(), value)
            .is_some();
        if twice || found.len() > ATTRIBUTES {
            return None;
        }
    }
    Some(found)
}
