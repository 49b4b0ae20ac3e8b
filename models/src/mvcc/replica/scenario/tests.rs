use super::super::seats::{ROLES, WATCH_ROLES};
use super::*;

/// The lowest, the highest and other values of the knobs that say who is there.
fn configs() -> impl Iterator<Item = Config> {
    [(1, 2, 1), (2, 3, 4), (3, 2, 2), (3, 3, 4)].into_iter().map(|(servers, clients, watchers)| {
        let value = |knob: &Knob| match knob.name {
            "servers" => servers,
            "clients" => clients,
            "watchers" => watchers,
            _ => knob.min,
        };
        Config { values: KNOBS.iter().map(|knob| (knob.name, value(knob))).collect() }
    })
}

#[test]
fn everybody_sits_where_the_seats_say() {
    for config in configs() {
        let (seats, topology) = (seats(&config), topology(&config, Span::ns(0)));
        let actors: Vec<_> = topology.actors().collect();
        let role = |id: ActorId| actors[usize::from(id.0)].1;
        let home = |id: ActorId| actors[usize::from(id.0)].0;
        for n in 0..seats.servers {
            let own = [
                seats.member(n),
                seats.wal(n),
                seats.applier(n),
                seats.committer(n),
                seats.timer(n),
                seats.compactor(n),
                seats.shipper(n),
                seats.receiver(n),
                seats.defragmenter(n),
                seats.keeper(n),
                seats.sync(n),
                seats.victims(n),
            ];
            assert!(own.iter().map(|id| role(*id)).eq(ROLES.into_iter().chain(WATCH_ROLES)));
            assert!(own.iter().all(|id| home(*id) == NodeId(n)));
            for w in 0..seats.watchers {
                assert_eq!(role(seats.sender(n, w)), SENDERS[usize::from(w)]);
                assert_eq!(home(seats.sender(n, w)), NodeId(n));
            }
        }
        assert!((0..seats.clients).all(|c| role(seats.client(c)) == "client"));
        assert!((0..seats.watchers).all(|w| role(seats.watcher(w)) == "watcher"));
        assert_eq!(role(seats.agreement()), "agreement");
        assert_eq!(actors[usize::from(seats.agreement().0) + 1].1, "comparer");
        assert_eq!(usize::from(seats.agreement().0) + 2, actors.len());
        let clients: Vec<ActorId> = topology.clients().collect();
        assert_eq!(clients[0], seats.client(0));
        assert_eq!(clients[usize::from(seats.clients)], seats.watcher(0));
        assert!(topology.client_nodes().has(home(seats.agreement())));
    }
}

#[test]
fn knobs_and_marks_are_each_there_once() {
    let mut names: Vec<&str> = KNOBS.iter().map(|knob| knob.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
    let watchers = KNOBS.iter().find(|knob| knob.name == "watchers").expect("it is there");
    assert_eq!(watchers.max, WATCHERS.max);
    let mut marks: Vec<u8> = MARKS.iter().map(|mark| mark.index).collect();
    marks.sort_unstable();
    assert!(marks.windows(2).all(|two| two[0] != two[1]), "{marks:?}");
}
