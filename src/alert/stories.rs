//! Who was told of what still goes on: pure. What ends a story goes to exactly the channels that its beginning went to,
//! also after the configuration changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::severity::Part;
use super::{AlertEvent, Channel, Outbox};

/// The channels by name.
pub(super) type Channels = BTreeMap<String, std::sync::Arc<dyn Channel>>;

/// A story that people were told of, until its end is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Its first event.
    pub first: AlertEvent,
    /// The channels that were told.
    pub channels: BTreeSet<String>,
    /// Its end is told, or on its way.
    #[serde(default)]
    pub over: bool,
}

/// Every story, by its thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stories(BTreeMap<String, Story>);

impl Stories {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first event of this event's story, where that is another one.
    pub fn first_of(&self, event: &AlertEvent) -> Option<&AlertEvent> {
        self.0.get(&event.thread).map(|story| &story.first).filter(|first| first.id != event.id)
    }

    /// What goes on, of which this channel was told.
    pub fn going_on<'a>(&'a self, channel: &str) -> impl Iterator<Item = &'a AlertEvent> {
        self.0.values().filter(move |story| !story.over && story.channels.contains(channel)).map(|story| &story.first)
    }

    /// Whom to tell of an event, which is noted.
    pub(super) fn audience(&mut self, event: &AlertEvent, channels: &Channels) -> BTreeSet<String> {
        let takers = || channels.iter().filter(|(_, channel)| channel.takes(event)).map(|(name, _)| name.clone());
        let told = self.0.get(&event.thread).map(|story| story.channels.clone());
        match event.kind.part() {
            Part::Alone => takers().collect(),
            Part::Beginning => {
                let told: BTreeSet<_> = takers().collect();
                let story = Story { first: event.clone(), channels: told.clone(), over: false };
                self.0.insert(event.thread.clone(), story);
                told
            }
            Part::Middle => {
                // One that is gone is told of the end alone: whoever reads its dead letters has the whole story then.
                let told = told.into_iter().flatten().filter(|name| channels.contains_key(name));
                let audience: BTreeSet<_> = told.chain(takers()).collect();
                // A state of an earlier version knows no stories.
                let begun = || Story { first: event.clone(), channels: BTreeSet::new(), over: false };
                let story = self.0.entry(event.thread.clone()).or_insert_with(begun);
                story.channels.extend(audience.iter().cloned());
                audience
            }
            Part::End => {
                if let Some(story) = self.0.get_mut(&event.thread) {
                    story.over = true;
                }
                told.unwrap_or_else(|| takers().collect())
            }
        }
    }

    /// Notes that a channel is told of a message because another did not deliver it. `false`: it knows the story, and gets
    /// what belongs to it by itself.
    pub(super) fn falls_back(&mut self, event: &AlertEvent, to: &str) -> bool {
        self.0.get_mut(&event.thread).is_none_or(|story| story.channels.insert(to.to_owned()))
    }

    /// Forgets what is over and delivered.
    pub(super) fn forget_ended(&mut self, outbox: &Outbox) {
        if self.0.values().any(|story| story.over) {
            let waiting: BTreeSet<&str> = outbox.pending().map(|message| message.event.thread.as_str()).collect();
            self.0.retain(|thread, story| !story.over || waiting.contains(thread.as_str()));
        }
    }
}
