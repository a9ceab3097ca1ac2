//! Stores: keepers of inventory, policy and history.
