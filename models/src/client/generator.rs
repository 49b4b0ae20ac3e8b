//! Generators of documents and blobs: the same each time, from the start again when they are asked to.
//!
//! ```text
//!  name "doc", template {{"n":{i},"age":{0},"name":"{1}"}}, lists [1 2 3] [ann ben], items 0..6
//!
//!  doc-0 {"n":0,"age":1,"name":"ann"}    doc-3 {"n":3,"age":1,"name":"ben"}
//!  doc-1 {"n":1,"age":2,"name":"ann"}    doc-4 {"n":4,"age":2,"name":"ben"}
//!  doc-2 {"n":2,"age":3,"name":"ann"}    doc-5 {"n":5,"age":3,"name":"ben"}
//! ```
//!
//! The number of an item is written with the lengths of the lists as radices, the first list turning fastest. With a seed
//! each list is looked up at a place that depends on the seed, the list and the item, and on nothing else.

mod older;
#[cfg(test)]
mod tests;

#[expect(deprecated, reason = "it stays beside the newer one")]
pub use older::{GeneratedDocuments, OlderOptions};

use std::ops::Range;

/// Documents out of a template and lists of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentGenerator {
    name: String,
    template: Vec<Part>,
    lists: Vec<Vec<String>>,
    seed: Option<u64>,
    items: Range<u64>,
    next: u64,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `{i}`: the number of the item.
    Number,
    /// `{0}`: a value of that list.
    Argument(usize),
}

impl DocumentGenerator {
    /// Documents `name-0`, `name-1`, ... of these items. In the template `{0}` stands for a value of the first list, `{i}` for
    /// the number of the item, `{{` and `}}` for braces.
    ///
    /// # Errors
    /// If the template does not fit the lists.
    pub fn new(
        name: &str,
        template: &str,
        lists: Vec<Vec<String>>,
        items: Range<u64>,
    ) -> Result<DocumentGenerator, String> {
        if let Some(empty) = lists.iter().position(Vec::is_empty) {
            return Err(format!("expected values in list {empty}, found none"));
        }
        if items.start > items.end {
            let Range { start, end } = items;
            return Err(format!("expected items that run upwards, found {start}..{end}"));
        }
        let template = parse(template, lists.len())?;
        let next = items.start;
        Ok(DocumentGenerator { name: name.into(), template, lists, seed: None, items, next })
    }

    /// The same with values that are looked up by this seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> DocumentGenerator {
        DocumentGenerator { seed: Some(seed), ..self }
    }

    /// The key of an item.
    #[must_use]
    pub fn key(&self, item: u64) -> String {
        format!("{}-{item}", self.name)
    }

    /// The document of an item, be it among the items of this generator or not.
    #[must_use]
    pub fn document(&self, item: u64) -> String {
        let mut text = String::new();
        for part in &self.template {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Number => text.push_str(&item.to_string()),
                Part::Argument(list) => text.push_str(self.value(*list, item)),
            }
        }
        text
    }

    fn value(&self, list: usize, item: u64) -> &str {
        let len = |of: &Vec<String>| of.len() as u64;
        let place = match self.seed {
            Some(seed) => mixed(seed, item, list as u64) % len(&self.lists[list]),
            None => {
                let mut lens = self.lists[..list].iter().map(len);
                // Where there are more documents than numbers, the last lists do not turn.
                let before = lens.try_fold(1, u64::checked_mul);
                before.map_or(0, |before| item / before) % len(&self.lists[list])
            }
        };
        &self.lists[list][usize::try_from(place).expect("a place in a list")]
    }

    /// Begins again with the first item.
    pub fn reset(&mut self) {
        self.next = self.items.start;
    }
}

impl Iterator for DocumentGenerator {
    type Item = (String, String);

    fn next(&mut self) -> Option<(String, String)> {
        let item = self.next;
        (item < self.items.end).then(|| {
            self.next += 1;
            (self.key(item), self.document(item))
        })
    }
}

/// Blobs of so many bytes each: the number of the item, and bytes that depend on seed and item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobGenerator {
    name: String,
    seed: u64,
    size: usize,
    items: Range<u64>,
    next: u64,
}

impl BlobGenerator {
    /// Blobs `name-0`, `name-1`, ... of these items.
    #[must_use]
    pub fn new(name: &str, seed: u64, size: usize, items: Range<u64>) -> BlobGenerator {
        let next = items.start;
        BlobGenerator { name: name.into(), seed, size, items, next }
    }

    /// The blob of an item, be it among the items of this generator or not.
    #[must_use]
    pub fn blob(&self, item: u64) -> Vec<u8> {
        let number = item.to_be_bytes();
        let known = number.iter().skip(number.len().saturating_sub(self.size.min(4))).copied();
        let noise = (0..).map(|at| mixed(self.seed, item, at).to_le_bytes()[0]);
        known.chain(noise).take(self.size).collect()
    }

    /// Begins again with the first item.
    pub fn reset(&mut self) {
        self.next = self.items.start;
    }
}

impl Iterator for BlobGenerator {
    type Item = (String, Vec<u8>);

    fn next(&mut self) -> Option<(String, Vec<u8>)> {
        let item = self.next;
        (item < self.items.end).then(|| {
            self.next += 1;
            (format!("{}-{item}", self.name), self.blob(item))
        })
    }
}

/// A number that depends on all of these and looks like no other.
#[must_use]
pub(super) fn mixed(seed: u64, item: u64, place: u64) -> u64 {
    let mut word = seed ^ item.rotate_left(24) ^ place.rotate_left(48);
    for _ in 0..2 {
        word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
    }
    word
}

fn parse(template: &str, lists: usize) -> Result<Vec<Part>, String> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(at);
        text.push_str(before);
        if let Some(double) = ["{{", "}}"].iter().find(|double| behind.starts_with(**double)) {
            text.push_str(&double[1..]);
            rest = &behind[2..];
            continue;
        }
        let inner = behind.strip_prefix('{').and_then(|behind| behind.split_once('}'));
        let Some((word, behind)) = inner else {
            return Err(format!("expected braces in pairs, found `{behind}`"));
        };
        let part = match word.parse::<usize>() {
            Ok(list) if list < lists => Part::Argument(list),
            Err(_) if word == "i" => Part::Number,
            _ => return Err(format!("expected {{i}} or one of {lists} lists, found {{{word}}}")),
        };
        parts.extend(Some(Part::Text(std::mem::take(&mut text))).filter(|part| !part.is_empty()));
        parts.push(part);
        rest = behind;
    }
    text.push_str(rest);
    parts.extend(Some(Part::Text(text)).filter(|part| !part.is_empty()));
    Ok(parts)
}

impl Part {
    fn is_empty(&self) -> bool {
        matches!(self, Part::Text(text) if text.is_empty())
    }
}
