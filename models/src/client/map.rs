//! The map: which data node has which vbucket, by epochs.

use std::fmt;
use std::sync::Arc;

use crate::vbucket::op::Vb;

use super::op::Server;

/// Who has a vbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Serves clients.
    pub master: Server,
    /// Follows it.
    pub replica: Option<Server>,
}

/// A map of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map {
    /// Later maps have a greater one.
    pub epoch: u32,
    /// By the number of the vbucket.
    pub places: Arc<[Place]>,
}

impl Map {
    /// The first map: vbuckets are dealt out to so many nodes, with a replica on the next one if that is wanted and there is
    /// another one.
    #[must_use]
    pub fn dealt(vbuckets: u8, servers: u8, has_replicas: bool) -> Map {
        let places = (0..vbuckets).map(|vb| Place {
            master: Server(vb % servers),
            replica: (has_replicas && servers > 1).then(|| Server((vb + 1) % servers)),
        });
        Map { epoch: 1, places: places.collect() }
    }

    /// How many vbuckets there are.
    #[must_use]
    pub fn vbuckets(&self) -> u8 {
        u8::try_from(self.places.len()).expect("a few vbuckets")
    }

    /// Who has a vbucket.
    #[must_use]
    pub fn place(&self, vb: Vb) -> Place {
        self.places[usize::from(vb.0)]
    }

    /// The map of the next epoch, in which a vbucket is there.
    #[must_use]
    pub fn with(&self, vb: Vb, place: Place) -> Map {
        let mut places = self.places.to_vec();
        places[usize::from(vb.0)] = place;
        Map { epoch: self.epoch + 1, places: places.into() }
    }

    /// Whether a node has anything, as a master or as a replica.
    #[must_use]
    pub fn has(&self, server: Server) -> bool {
        let is_at = |place: &Place| place.master == server || place.replica == Some(server);
        self.places.iter().any(is_at)
    }

    /// Whether a node serves anything.
    #[must_use]
    pub fn uses(&self, server: Server) -> bool {
        self.places.iter().any(|place| place.master == server)
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}:", self.epoch)?;
        for (vb, place) in self.places.iter().enumerate() {
            write!(f, " v{vb}={}", place.master)?;
            if let Some(replica) = place.replica {
                write!(f, "+{replica}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_map_differs_in_one_place() {
        let map = Map::dealt(3, 2, true);
        assert_eq!(map.to_string(), "epoch 1: v0=n0+n1 v1=n1+n0 v2=n0+n1");
        let next = map.with(Vb(1), Place { master: Server(0), replica: None });
        assert_eq!(next.to_string(), "epoch 2: v0=n0+n1 v1=n0 v2=n0+n1");
        assert!(map.uses(Server(1)) && !next.uses(Server(1)));
        assert_eq!(Map::dealt(1, 1, true).to_string(), "epoch 1: v0=n0");
        assert_eq!((map.vbuckets(), next.place(Vb(1)).replica), (3, None));
    }
}
