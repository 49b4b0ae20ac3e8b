//! The generator of before, for the tests that use it.

/// What fills the places of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OlderOptions {
    /// In place of `${seed}`, and behind the number in `_id`.
    pub seed: String,
    /// In place of `${padding}`.
    pub padding: String,
}

/// Documents with an `_id` of the number and the seed, and fields out of a template in which `${prefix}` is the number,
/// `${seed}` the seed and `${padding}` the padding.
#[deprecated(note = "`DocumentGenerator` has ranges, lists of values and a key of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedDocuments {
    items: u64,
    template: Vec<(String, String)>,
    options: OlderOptions,
    next: u64,
}

#[expect(deprecated, reason = "its own code")]
impl GeneratedDocuments {
    /// So many documents of these fields.
    #[must_use]
    pub fn new(items: u64, template: &[(&str, &str)], options: OlderOptions) -> GeneratedDocuments {
        let template = template.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        GeneratedDocuments { items, template: template.collect(), options, next: 0 }
    }

    /// Begins again with the first one.
    pub fn reset(&mut self) {
        self.next = 0;
    }
}

#[expect(deprecated, reason = "its own code")]
impl Iterator for GeneratedDocuments {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let number = self.next;
        if number == self.items {
            return None;
        }
        self.next += 1;
        let OlderOptions { seed, padding } = &self.options;
        let mut text = format!("{{\"_id\":\"{number}-{seed}\"");
        for (name, value) in &self.template {
            let value = value.replace("${prefix}", &number.to_string());
            let value = value.replace("${seed}", seed).replace("${padding}", padding);
            text.push_str(&format!(",\"{name}\":\"{value}\""));
        }
        text.push('}');
        Some(text)
    }
}
