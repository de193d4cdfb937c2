//! What strongSwan says of its SAs, read from swanctl's words: not by the code that is under test.

/// The IKE_SAs of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sas(Vec<IkeSa>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct IkeSa {
    name: String,
    id: u32,
    state: String,
    children: Vec<ChildSa>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ChildSa {
    name: String,
    id: u32,
    state: String,
}

impl Sas {
    /// From `swanctl --list-sas`:
    ///
    /// ```text
    /// site-a: #1, ESTABLISHED, IKEv2, 45e15834ff56c0ea_i* 1cdf8e0a480a9887_r
    ///   local  'prober.site-a' @ 10.76.0.2[4500]
    ///   net-a: #1, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-128
    ///     installed 0s ago
    /// ```
    pub(crate) fn read(text: &str) -> Self {
        let mut found: Vec<IkeSa> = Vec::new();
        for line in text.lines() {
            let Some((name, rest)) = line.split_once(": #") else { continue };
            let words: Vec<_> = rest.split(", ").collect();
            let id = words[0].parse().unwrap();
            let known = |word: &&&str| word.chars().all(|c| c.is_ascii_uppercase());
            let state = (*words.iter().find(known).unwrap_or_else(|| panic!("no state in `{line}`"))).to_owned();
            let name = name.trim().to_owned();
            if line.starts_with(' ') {
                found.last_mut().unwrap().children.push(ChildSa { name, id, state });
            } else {
                found.push(IkeSa { name, id, state, children: Vec::new() });
            }
        }
        Self(found)
    }

    /// Whether there is none at all.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// States of the IKE_SAs of this connection.
    pub(crate) fn ike(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|ike| ike.name == name).map(|ike| ike.state.as_str()).collect()
    }

    /// The number of the only IKE_SA of this connection.
    #[track_caller]
    pub(crate) fn ike_id(&self, name: &str) -> u32 {
        let ids: Vec<_> = self.0.iter().filter(|ike| ike.name == name).map(|ike| ike.id).collect();
        assert_eq!(ids.len(), 1, "one IKE_SA `{name}`: {self:?}");
        ids[0]
    }

    /// States of the CHILD_SAs of this name, but those that are kept as a memory of a rekeying.
    pub(crate) fn child<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let children = self.children(name).filter(|child| child.state != "DELETED");
        children.map(|child| child.state.as_str()).collect()
    }

    /// States of all of them.
    pub(crate) fn child_with_memory<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        self.children(name).map(|child| child.state.as_str()).collect()
    }

    /// The number of the only CHILD_SA of this name, and that of its IKE_SA: another one would have others.
    #[track_caller]
    pub(crate) fn ids(&self, name: &str) -> (u32, u32) {
        let of = |ike: &IkeSa| {
            let id = ike.id;
            let children = ike.children.iter().filter(|child| child.name == name);
            children.map(move |child| (id, child.id)).collect::<Vec<_>>()
        };
        let ids: Vec<_> = self.0.iter().flat_map(of).collect();
        assert_eq!(ids.len(), 1, "one CHILD_SA `{name}`: {self:?}");
        ids[0]
    }

    /// How many CHILD_SAs are up.
    pub(crate) fn installed(&self) -> usize {
        let children = self.0.iter().flat_map(|ike| &ike.children);
        children.filter(|child| child.state == "INSTALLED").count()
    }

    fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ChildSa> {
        self.0.iter().flat_map(|ike| &ike.children).filter(move |child| child.name == name)
    }
}
