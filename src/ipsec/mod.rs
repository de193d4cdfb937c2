//! IPsec tunnels of strongSwan: is one up, may it be restarted, and how. What is said over VICI is in `vici`.
