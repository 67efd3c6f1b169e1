// SPDX-License-Identifier: Apache-2.0
public import PolicyText

/// The foreign languages that are read.
public enum Dialect: String, CaseIterable, Sendable {
    /// Kubernetes objects: NetworkPolicy, Namespace, ServiceAccount and Pod.
    case kubernetes
    /// Hosts of an Ansible inventory, in either form.
    case ansible
    /// Workloads as comma-separated values.
    case csv

    /// Its reader. One that may lose leaves out what has no native form and says so; one that is alone claims every document and file
    /// that could be its own, whatever it is called.
    public func reader(isLossy: Bool = false, isAlone: Bool = false) -> any ForeignDialect {
        switch self {
        case .kubernetes: KubernetesDialect(isLossy: isLossy)
        case .ansible: AnsibleDialect(isLossy: isLossy, isAlone: isAlone)
        case .csv: CSVDialect(isLossy: isLossy, isAlone: isAlone)
        }
    }

    /// Readers of all of them, for documents of every kind mixed.
    public static func readers(isLossy: Bool = false) -> [any ForeignDialect] { allCases.map { $0.reader(isLossy: isLossy) } }
}
