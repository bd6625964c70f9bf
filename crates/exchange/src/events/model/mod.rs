//! The words of events, and their rules; no I/O.

mod compat;
mod cursor;
mod event;
mod name;
mod sample;
mod schema;
mod subscription;

pub use compat::breaks;
pub use cursor::{Cursor, Position};
pub(in crate::events) use event::Ready;
pub use event::{Event, LARGEST_DATA, LONGEST_KEY, NewEvent, Published};
pub use name::{EventName, EventTypeId, Sensitivity};
pub use sample::sample;
pub use schema::Schema;
pub use subscription::{Start, State};

base::typed_id!(/// One kind of event of one subsystem.
    Type as TypeId);
base::typed_id!(/// One event.
    Happening as EventId);
base::typed_id!(/// The right of a subsystem to read an event type.
    Subscribing as SubscriptionId);
base::typed_id!(/// One call of a webhook.
    Calling as DeliveryId);
