use super::*;

const COIN: Site = Site { id: 40, name: "coin", shape: Shape::Own, outcomes: &["tails"] };

fn drawn(seed: u64) -> Choices {
    let mut choices = Choices::default();
    choices.reset(seed);
    choices.set_odds(COIN.id, Odds::new(&[1, 1]));
    choices
}

#[test]
fn the_mixer_and_the_streams_have_not_changed() {
    assert_eq!(fold(1, 2), GOLDEN.0);
    assert_eq!(
        fold_key(3, Key::between(Ends { from: 1, to: 2, incarnation: 3 }, 4, 5, 6)),
        GOLDEN.1
    );
    let mut draw = Draw::new(7, Purpose::Workload);
    assert_eq!([draw.word(), draw.word()], GOLDEN.2);
    let mut draw = Draw::new(7, Purpose::Faults);
    assert_eq!([draw.below(1000), draw.range(5, 9)], GOLDEN.3);
    let mut choices = drawn(7);
    let outcomes: Vec<u32> = (0..16).map(|n| choices.choose(&COIN, Key::own(0, 1, 0, n))).collect();
    assert_eq!(outcomes, GOLDEN.4);
}

type Golden = (u64, u64, [u64; 2], [u64; 2], [u32; 16]);
const GOLDEN: Golden = (
    15800082632940703690,
    17309557082115760399,
    [201489438803661659, 3585899453659036969],
    [662, 7],
    [1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1],
);

#[test]
fn a_decision_depends_on_seed_site_and_key_only() {
    let mut one = drawn(1);
    let mut other = drawn(1);
    for n in 0..100 {
        one.choose(&COIN, Key::own(9, 1, 0, n));
    }
    let key = Key::own(1, 1, 2, 3);
    assert_eq!(one.choose(&COIN, key), other.choose(&COIN, key));
}

#[test]
fn an_off_site_is_calm_but_obeys_an_override() {
    let mut choices = Choices::default();
    choices.reset(1);
    let key = Key::own(1, 1, 2, 3);
    assert!(!choices.is_live(&COIN));
    assert_eq!(choices.choose(&COIN, key), 0);
    choices.force(Decision { site: COIN.id, key, outcome: 1 });
    assert_eq!(choices.unused().len(), 1);
    assert_eq!(choices.choose(&COIN, key), 1);
    assert_eq!(choices.choose(&COIN, Key::own(1, 1, 2, 4)), 0);
    assert!(choices.unused().is_empty());
}

#[test]
fn a_recording_replayed_as_overrides_gives_the_same_outcomes() {
    let mut drawn = drawn(3);
    drawn.record();
    let keys: Vec<Key> = (0..50).map(|n| Key::own(1, 1, n, 1)).collect();
    let first: Vec<u32> = keys.iter().map(|k| drawn.choose(&COIN, *k)).collect();
    let mut forced = Choices::default();
    forced.reset(99);
    for decision in drawn.take_recording() {
        forced.force(decision);
    }
    let second: Vec<u32> = keys.iter().map(|k| forced.choose(&COIN, *k)).collect();
    assert_eq!(first, second);
    assert!(first.contains(&1) && first.contains(&0));
}

#[test]
fn the_odds_are_kept_over_many_draws() {
    let mut choices = drawn(5);
    choices.set_odds(COIN.id, Odds::new(&[90, 0, 10]));
    let outcomes: Vec<u32> =
        (0..10_000).map(|n| choices.choose(&COIN, Key::own(0, 1, 0, n))).collect();
    let unusual = outcomes.iter().filter(|o| **o == 2).count();
    assert!((900..1100).contains(&unusual), "{unusual}");
    assert!(!outcomes.contains(&1), "a weight of 0 never comes");
}

#[test]
fn neighbouring_keys_are_decided_as_if_by_independent_draws() {
    let mut choices = drawn(1);
    choices.set_odds(COIN.id, Odds::new(&[1, 1, 1, 1]));
    for stride in [1, 2, 9, 64, 1 << 20, 1 << 32, 1 << 48] {
        let mut pairs = [0_u32; 16];
        let mut last = 0;
        for n in 0..4096 {
            let outcome = choices.choose(&COIN, Key::own(3, 1, 0, n * stride));
            pairs[(last * 4 + outcome) as usize] += 1;
            last = outcome;
        }
        // 256 of each are expected, with a deviation of about 16.
        assert!(pairs.iter().all(|n| (180..340).contains(n)), "stride {stride}: {pairs:?}");
    }
}
