//! The message in a packet: sections, values, lists. Pure.
//!
//! A message is walked once to its end before anything is read from it; then reading can't fail. Nothing is copied and
//! nothing recurses, so neither a large nor a deep message costs memory. Names and values are bytes: what is not UTF-8
//! in one connection must not keep the others from being seen.

use std::borrow::Cow;
use std::str::FromStr;

const SECTION_START: u8 = 1;
const SECTION_END: u8 = 2;
const KEY_VALUE: u8 = 3;
const LIST_START: u8 = 4;
const LIST_ITEM: u8 = 5;
const LIST_END: u8 = 6;

/// What is wrong with bytes that should be VICI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It ends within an element, or before what it opened is closed.
    #[error("it is cut short")]
    Cut,
    /// A type byte that the protocol does not have.
    #[error("an element or packet of the unknown type {0}")]
    UnknownType(u8),
    /// An element where none of its type may be.
    #[error("an element of type {0} out of its place")]
    OutOfPlace(u8),
    /// A packet that has no place in the dialogue.
    #[error("an answer to something else")]
    NotAsked,
    /// Longer than the protocol allows.
    #[error("it is longer than {} KiB", super::codec::LONGEST_PACKET / 1024)]
    TooLong,
    /// More than this program is willing to keep.
    #[error("its list is longer than any gateway's")]
    TooMany,
    /// A name or value of ours does not fit into its length field.
    #[error("a name or value is too long for a request")]
    DoesNotFit,
}

#[derive(Clone, Copy)]
enum Element<'a> {
    SectionStart(&'a [u8]),
    SectionEnd,
    KeyValue(&'a [u8], &'a [u8]),
    ListStart(&'a [u8]),
    ListItem(&'a [u8]),
    ListEnd,
}

/// A section of a message, the message itself included: known to be well-formed.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a>(&'a [u8]);

/// What a section holds.
#[derive(Debug, Clone)]
pub enum Entry<'a> {
    /// `name = value`.
    Value(&'a [u8], &'a [u8]),
    /// `name { … }`.
    Section(&'a [u8], Section<'a>),
    /// `name = [ … ]`.
    List(&'a [u8], List<'a>),
}

/// The items of a list.
#[derive(Debug, Clone)]
pub struct List<'a>(&'a [u8]);

impl<'a> Section<'a> {
    /// Takes a message, if it is well-formed to its last byte.
    pub fn parse(message: &'a [u8]) -> Result<Self, Fault> {
        let (mut rest, mut depth, mut in_list) = (message, 0_usize, false);
        while !rest.is_empty() {
            let kind = rest[0];
            let element = take_element(&mut rest)?;
            let in_place = match element {
                Element::ListItem(_) | Element::ListEnd => in_list,
                Element::SectionEnd => depth > 0 && !in_list,
                Element::SectionStart(_) | Element::KeyValue(..) | Element::ListStart(_) => !in_list,
            };
            if !in_place {
                return Err(Fault::OutOfPlace(kind));
            }
            match element {
                Element::SectionStart(_) => depth += 1,
                Element::SectionEnd => depth -= 1,
                Element::ListStart(_) => in_list = true,
                Element::ListEnd => in_list = false,
                Element::KeyValue(..) | Element::ListItem(_) => {}
            }
        }
        if depth > 0 || in_list { Err(Fault::Cut) } else { Ok(Self(message)) }
    }

    /// What it holds, in the daemon's order.
    pub fn entries(self) -> Entries<'a> {
        Entries(self.0)
    }

    /// The sections in it.
    pub fn sections(self) -> impl Iterator<Item = (&'a [u8], Self)> {
        self.entries().filter_map(|entry| match entry {
            Entry::Section(name, section) => Some((name, section)),
            Entry::Value(..) | Entry::List(..) => None,
        })
    }

    /// The first section of this name.
    pub fn section(self, name: &str) -> Option<Self> {
        self.sections().find(|(found, _)| *found == name.as_bytes()).map(|(_, section)| section)
    }

    /// The first value of this name.
    pub fn value(self, name: &str) -> Option<&'a [u8]> {
        self.entries().find_map(|entry| match entry {
            Entry::Value(found, value) if found == name.as_bytes() => Some(value),
            _ => None,
        })
    }

    /// The first value of this name, as text; what is not UTF-8 in it is replaced.
    pub fn text(self, name: &str) -> Option<Cow<'a, str>> {
        self.value(name).map(String::from_utf8_lossy)
    }

    /// The first value of this name, where it is a number of this kind.
    pub fn number<N: FromStr>(self, name: &str) -> Option<N> {
        std::str::from_utf8(self.value(name)?).ok()?.parse().ok()
    }

    /// The items of the first list of this name; none where there is no such list.
    pub fn list(self, name: &str) -> List<'a> {
        let list = self.entries().find_map(|entry| match entry {
            Entry::List(found, list) if found == name.as_bytes() => Some(list),
            _ => None,
        });
        list.unwrap_or(List(&[]))
    }
}

/// Walks a section; a section within it is one step.
#[derive(Debug, Clone)]
pub struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        // The section was walked before: an error here means its end.
        match take_element(&mut self.0).ok()? {
            Element::KeyValue(name, value) => Some(Entry::Value(name, value)),
            Element::SectionStart(name) => Some(Entry::Section(name, Section(self.take_body()))),
            Element::ListStart(name) => Some(Entry::List(name, List(self.take_body()))),
            Element::SectionEnd | Element::ListItem(_) | Element::ListEnd => None,
        }
    }
}

impl<'a> Entries<'a> {
    /// What stands before the end of the section or list that was just opened; the end is taken too.
    fn take_body(&mut self) -> &'a [u8] {
        let body = self.0;
        let mut depth = 1_usize;
        loop {
            let before = self.0;
            match take_element(&mut self.0) {
                Ok(Element::SectionStart(_) | Element::ListStart(_)) => depth += 1,
                Ok(Element::SectionEnd | Element::ListEnd) => depth -= 1,
                Ok(Element::KeyValue(..) | Element::ListItem(_)) => {}
                Err(_) => return body,
            }
            if depth == 0 {
                return &body[..body.len() - before.len()];
            }
        }
    }
}

impl<'a> Iterator for List<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match take_element(&mut self.0) {
            Ok(Element::ListItem(item)) => Some(item),
            _ => None,
        }
    }
}

fn take_element<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, Fault> {
    match take(rest, 1)?[0] {
        SECTION_START => Ok(Element::SectionStart(take_name(rest)?)),
        SECTION_END => Ok(Element::SectionEnd),
        KEY_VALUE => Ok(Element::KeyValue(take_name(rest)?, take_value(rest)?)),
        LIST_START => Ok(Element::ListStart(take_name(rest)?)),
        LIST_ITEM => Ok(Element::ListItem(take_value(rest)?)),
        LIST_END => Ok(Element::ListEnd),
        other => Err(Fault::UnknownType(other)),
    }
}

/// A name: its length in one byte, then its bytes.
pub(super) fn take_name<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let length = take(rest, 1)?[0];
    take(rest, usize::from(length))
}

/// A value: its length in two bytes, then its bytes.
fn take_value<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let length = take(rest, 2)?;
    take(rest, usize::from(u16::from_be_bytes([length[0], length[1]])))
}

pub(super) fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
    let (taken, left) = rest.split_at_checked(length).ok_or(Fault::Cut)?;
    *rest = left;
    Ok(taken)
}

/// Writes a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageWriter(Vec<u8>);

impl MessageWriter {
    /// Adds `name = value`.
    pub fn value(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
        self.0.push(KEY_VALUE);
        put_name(&mut self.0, name)?;
        self.put_value(value)
    }

    /// Opens a section.
    pub fn begin_section(&mut self, name: &[u8]) -> Result<(), Fault> {
        self.0.push(SECTION_START);
        put_name(&mut self.0, name)
    }

    /// Closes the section that was opened last.
    pub fn end_section(&mut self) {
        self.0.push(SECTION_END);
    }

    /// Adds a list.
    pub fn list<'a>(&mut self, name: &[u8], items: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Fault> {
        self.0.push(LIST_START);
        put_name(&mut self.0, name)?;
        for item in items {
            self.0.push(LIST_ITEM);
            self.put_value(item)?;
        }
        self.0.push(LIST_END);
        Ok(())
    }

    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn put_value(&mut self, value: &[u8]) -> Result<(), Fault> {
        let length = u16::try_from(value.len()).map_err(|_| Fault::DoesNotFit)?;
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
        Ok(())
    }
}

pub(super) fn put_name(out: &mut Vec<u8>, name: &[u8]) -> Result<(), Fault> {
    out.push(u8::try_from(name.len()).map_err(|_| Fault::DoesNotFit)?);
    out.extend_from_slice(name);
    Ok(())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
