use super::*;

fn people(items: Range<u64>) -> DocumentGenerator {
    let lists = vec![words(&["1", "2", "3"]), words(&["ann", "ben"])];
    let template = r#"{{"n":{i},"age":{0},"name":"{1}"}}"#;
    DocumentGenerator::new("doc", template, lists, items).expect("they fit")
}

fn words(of: &[&str]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

#[test]
fn lists_turn_like_the_digits_of_a_number() {
    let made: Vec<(String, String)> = people(4..7).collect();
    let document = |n, age, name| format!(r#"{{"n":{n},"age":{age},"name":"{name}"}}"#);
    assert_eq!(
        made,
        [
            ("doc-4".into(), document(4, 2, "ben")),
            ("doc-5".into(), document(5, 3, "ben")),
            ("doc-6".into(), document(6, 1, "ann")),
        ]
    );
}

#[test]
fn lists_may_make_more_documents_than_there_are_numbers() {
    let template = (0..65).map(|list| format!("{{{list}}}")).collect::<String>();
    let lists = vec![words(&["a", "b"]); 65];
    let made = DocumentGenerator::new("doc", &template, lists, 0..9).expect("they fit");
    assert_eq!(made.document(0), "a".repeat(65));
    assert_eq!(made.document(u64::MAX), "b".repeat(64) + "a");
}

#[test]
fn a_reset_goes_back_to_the_first_item_and_not_to_number_0() {
    let mut generator = people(4..7);
    let first: Vec<_> = generator.by_ref().collect();
    assert_eq!(generator.next(), None);
    generator.reset();
    assert_eq!(generator.collect::<Vec<_>>(), first);
    let mut blobs = BlobGenerator::new("blob", 7, 6, 2..5);
    let first: Vec<_> = blobs.by_ref().collect();
    blobs.reset();
    assert_eq!(blobs.collect::<Vec<_>>(), first);
}

#[test]
fn a_seed_decides_and_another_seed_decides_otherwise() {
    let with = |seed| people(0..40).with_seed(seed).map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
    // Each value of each list comes.
    for value in ["\"age\":1", "\"age\":2", "\"age\":3", "ann", "ben"] {
        assert!(with(1).iter().any(|text| text.contains(value)), "{value}");
    }
    let blob = |seed| BlobGenerator::new("blob", seed, 6, 0..1).blob(9);
    assert_eq!((blob(1)[..4].to_vec(), blob(1).len()), (vec![0, 0, 0, 9], 6));
    assert_ne!(blob(1), blob(2));
}

#[test]
fn what_does_not_fit_is_refused() {
    let new = |template: &str, lists, items| DocumentGenerator::new("a", template, lists, items);
    let refused = |template, lists, items| new(template, lists, items).expect_err(template);
    let one = || vec![words(&["1"])];
    assert!(refused("{1}", one(), 0..1).contains("one of 1 lists, found {1}"));
    assert!(refused("{x}", one(), 0..1).contains("found {x}"));
    assert!(refused("a}", one(), 0..1).contains("pairs, found `}`"));
    assert!(refused("{0", one(), 0..1).contains("pairs, found `{0`"));
    assert!(refused("{0}", vec![Vec::new()], 0..1).contains("values in list 0"));
    #[expect(clippy::reversed_empty_ranges, reason = "it is what is refused")]
    let backwards = refused("{0}", one(), 2..1);
    assert!(backwards.contains("found 2..1"));
    let plain = new("{{{{}}", Vec::new(), 0..1).expect("no lists are needed");
    assert_eq!(plain.document(0), "{{}");
}

/// As it was written before there was another one.
#[test]
#[expect(deprecated, reason = "who uses it may go on")]
fn the_older_generator_does_what_it_did() {
    let options = OlderOptions { seed: "s7".into(), padding: "000".into() };
    let template = [("a", "${prefix}-${seed}"), ("b", "x${padding}")];
    let mut documents = GeneratedDocuments::new(2, &template, options);
    let first: Vec<String> = documents.by_ref().collect();
    assert_eq!(
        first,
        [r#"{"_id":"0-s7","a":"0-s7","b":"x000"}"#, r#"{"_id":"1-s7","a":"1-s7","b":"x000"}"#]
    );
    documents.reset();
    assert_eq!(documents.collect::<Vec<_>>(), first);
}
