// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import PolicyText

/// The protocols that ports have in Kubernetes; others have none there, and are matched by rules without ports alone.
enum KubernetesProtocol: String, CaseIterable {
    case tcp = "TCP"
    case udp = "UDP"
    case sctp = "SCTP"

    /// TCP unless the text says something else.
    static func read(_ value: YAMLValue?) throws(PolicyError) -> KubernetesProtocol {
        guard let value else { return .tcp }
        return try value.choice("protocol", of: KubernetesProtocol.self)
    }

    /// Its number.
    var number: IPProtocol {
        switch self {
        case .tcp: .tcp
        case .udp: .udp
        case .sctp: .sctp
        }
    }
}
