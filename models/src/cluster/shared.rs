//! What the actors of a node share: those of the data node and its streams, those of clients, and what the node knows of
//! the cluster.

use std::sync::Arc;

use crate::client::model as client;
use crate::tap::shared as tap;

use super::map::View;

/// What the actors of a node share.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Of a data node and its streams. The memory of the data node is here.
    pub tap: tap::Shared,
    /// Of a client, and of the door of a data node. The memory in it is empty but for a moment; see [`Shared::trade`].
    pub client: client::Shared,
    /// What the node has been told last.
    pub view: Option<Arc<View>>,
}

impl Shared {
    /// Hands the memory of the data node from one part to the other, or back: doors know it as a part of what clients
    /// share, streams as a part of what they share.
    pub fn trade(&mut self) {
        std::mem::swap(&mut self.tap.data, &mut self.client.memory);
    }
}
