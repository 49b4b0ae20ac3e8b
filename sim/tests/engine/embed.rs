//! An actor inside the enum of a larger model does the same as on its own.

use crate::probe::busy::BUSY;
use crate::probe::{Ask, PICK, POINTS, Probe, Word, word};
use seedbed_sim::actor::{Actor, Context, Embeds, Event, Label};
use seedbed_sim::id::ActorId;
use seedbed_sim::nemesis::Plan;
use seedbed_sim::time::Span;
use seedbed_sim::world::{Stepped, Topology, World};
use std::fmt;

/// A larger model: probes, and an actor of its own, which answers.
#[derive(Clone, Debug)]
enum Larger {
    Inner(Probe),
    Echo,
}

/// Its messages, timers, phases and locks: those of probes, and one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wide {
    Inner(Word),
    Own,
}

impl Label for Wide {
    const KINDS: &'static [&'static str] = Word::KINDS;
    fn kind(&self) -> u16 {
        match self {
            Wide::Inner(word) => word.kind(),
            Wide::Own => 0,
        }
    }
    fn subject(&self) -> u64 {
        match self {
            Wide::Inner(word) => word.subject(),
            Wide::Own => 7,
        }
    }
}

impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wide::Inner(word) => word.fmt(f),
            Wide::Own => f.write_str("own"),
        }
    }
}

impl From<Word> for Wide {
    fn from(word: Word) -> Wide {
        Wide::Inner(word)
    }
}

impl TryFrom<Wide> for Word {
    type Error = ();
    fn try_from(wide: Wide) -> Result<Word, ()> {
        match wide {
            Wide::Inner(word) => Ok(word),
            Wide::Own => Err(()),
        }
    }
}

/// What its actors share: the part of the probes, and its own.
#[derive(Clone, Debug, Default)]
struct Shared {
    probes: u64,
    echoes: u64,
}

impl Actor for Larger {
    type Msg = Wide;
    type Timer = Wide;
    type Phase = Wide;
    type Lock = Wide;
    type Op = Ask;
    type Ret = u64;
    type Note = String;
    type Shared = Shared;
    type Ghost = ();

    fn on_event(&mut self, event: Event<Larger>, cx: &mut Context<'_, Larger>) {
        match (self, event) {
            (Larger::Inner(probe), event) => {
                if let Some(event) = event.narrow() {
                    cx.lift(|cx| probe.on_event(event, cx));
                }
            }
            (Larger::Echo, Event::Message { from, .. }) => {
                cx.shared().echoes += 1;
                cx.send(from, Wide::Own);
                cx.send(from, word("a").into());
            }
            (Larger::Echo, _) => {}
        }
    }

    fn corrupted(msg: &Wide, word: u64) -> Option<Wide> {
        match msg {
            Wide::Inner(msg) => Probe::corrupted(msg, word).map(Wide::Inner),
            Wide::Own => None,
        }
    }
}

impl Embeds<Probe> for Larger {
    fn shared_part(shared: &mut Shared) -> &mut u64 {
        &mut shared.probes
    }
}

/// The same plan for the larger model.
fn widened(plan: &Plan<Probe>) -> Plan<Larger> {
    Plan {
        seed: plan.seed,
        bugs: plan.bugs,
        config: plan.config.clone(),
        run: plan.run,
        down_max: plan.down_max,
        ops: plan.ops.clone(),
        faults: plan.faults.clone(),
        noise: plan.noise.clone(),
        odds: plan.odds.clone(),
    }
}

fn trace<A: Actor>(topology: &Topology<A>, plan: &Plan<A>) -> (Vec<String>, World<A>) {
    let mut world = World::default();
    world.reset(topology, plan);
    world.trace(topology.names(POINTS, &[&PICK]), None);
    let end = plan.run.start + Span::ms(150);
    while world.next_due().is_some_and(|next| next < end) && world.step() != Stepped::Idle {}
    (world.trace_lines().to_vec(), world)
}

#[test]
fn an_embedded_actor_has_the_same_effects_as_on_its_own() {
    for seed in 0..20 {
        let plan = BUSY.expand(seed);
        let topology = (BUSY.topology)(&plan.config);
        let mut wide = Topology::default();
        let servers = topology.servers();
        for (node, role, probe) in topology.actors() {
            while wide.nodes() <= usize::from(node.0) {
                if servers.has(node) {
                    wide.server("n")
                } else {
                    wide.client("c")
                };
            }
            wide.actor(node, role, Larger::Inner(probe.clone()));
        }
        let (own, world) = trace(&topology, &plan);
        let (embedded, outer) = trace(&wide, &widened(&plan));
        assert!(own.len() > 100);
        assert_eq!(own, embedded, "seed {seed}");
        for node in servers.iter() {
            assert_eq!(*world.shared(node), outer.shared(node).probes);
        }
    }
}

#[test]
fn what_belongs_to_the_larger_model_does_not_reach_the_embedded_actor() {
    let mut topology = Topology::default();
    let node = topology.server("n");
    let asks = vec![("boot", vec![crate::probe::Do::Send(1, word("b"))])];
    topology.actor(node, "", Larger::Inner(Probe::new(asks)));
    topology.actor(node, "echo", Larger::Echo);
    let (lines, world) = trace(&topology, &widened(&crate::probe::lab::calm_plan()));
    assert_eq!(world.actors().len(), 2);
    let about = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((about("n0 message from n0.echo: own"), about("note a")), (1, 1), "{lines:#?}");
    assert_eq!((world.shared(node).probes, world.shared(node).echoes), (0, 1));
    let own = Event::<Larger>::Message { from: ActorId(1), msg: Wide::Own };
    assert!(own.narrow::<Probe>().is_none());
}
