//! End-to-end tests of the room.
