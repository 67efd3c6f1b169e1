// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import PolicyText

/// Reads a Pod as a workload. It claims the addresses that its status gives it, unless they are not its own: a pod in its host's
/// network has its node's, and a pod that is finished has given its back.
struct PodReader {
    let root: YAMLMapping
    /// Names of ports for which policies ask.
    let portNames: Set<String>

    /// Fields of a pod's spec that say nothing to policy. Any other is refused, because it might.
    static let ignored = [
        "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks",
        "ephemeralContainers", "hostAliases", "hostIPC", "hostPID", "hostUsers", "hostname", "hostnameOverride",
        "imagePullSecrets",
        "nodeName", "nodeSelector", "os", "overhead", "preemptionPolicy", "priority", "priorityClassName", "readinessGates",
        "resourceClaims", "resources", "restartPolicy", "runtimeClassName", "schedulerName", "schedulingGates", "securityContext",
        "setHostnameAsFQDN", "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds", "tolerations",
        "topologySpreadConstraints", "volumes",
    ]
    /// Fields of a container that say nothing to policy.
    static let ignoredOfContainer = [
        "args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "readinessProbe",
        "resizePolicy", "resources", "restartPolicyRules", "securityContext", "startupProbe", "stdin", "stdinOnce",
        "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir",
    ]

    func workload(_ ledger: inout Ledger) throws(PolicyError) -> Workload {
        let metadata = try KubernetesMetadata(root, isNamespaced: true)
        var workload = Workload(name: metadata.objectName, labels: metadata.labels, isImported: true, place: root.place)
        var isHost = false
        if let value = root.given("spec") {
            let spec = try value.mapping(
                "the spec of a Pod",
                keys: ["containers", "hostNetwork", "initContainers", "serviceAccount", "serviceAccountName"] + Self.ignored)
            isHost = try spec.given("hostNetwork")?.truth("hostNetwork") ?? false
            workload.serviceAccount = try account(spec)
            workload.services = try services(spec, metadata.objectName, &ledger)
        }
        let (addresses, phase) = try status()
        let why: String? =
            isHost
            ? "it is in its host's network, so that its addresses are the node's"
            : phase == "Succeeded" || phase == "Failed"
                ? "it is finished (\(phase ?? ""))" : addresses.isEmpty ? "its status has no address" : nil
        if let why {
            ledger.ignore(root.place, "Pod \(workload.name) claims no address: \(why)")
        } else {
            workload.addresses = addresses
        }
        return workload
    }

    /// `serviceAccount` is the old name of the same field.
    private func account(_ spec: YAMLMapping) throws(PolicyError) -> String? {
        for key in ["serviceAccountName", "serviceAccount"] {
            guard let value = spec.given(key), try value.text(key) != "" else { continue }
            return try KubernetesNames.subdomain(value, key)
        }
        return nil
    }

    /// The addresses of the status, each once, and its phase.
    private func status() throws(PolicyError) -> ([Prefix], String?) {
        guard let status = root.given("status") else { return ([], nil) }
        let entries = try status.dictionary("the status of a Pod")
        func entry(_ key: String) -> YAMLValue? {
            guard let value = entries.first(where: { $0.key == key })?.value else { return nil }
            if case .null = value.content { return nil }
            return value
        }
        var values: [YAMLValue] = []
        for item in try entry("podIPs")?.list("podIPs") ?? [] {
            values.append(try item.mapping("an item of podIPs", keys: ["ip"]).required("ip"))
        }
        if let first = entry("podIP") { values.append(first) }
        var addresses: [Prefix] = []
        for value in values {
            let text = try value.text("an address of a Pod")
            if text.isEmpty { continue }
            guard let address = Address(text), address.isIPv4 != text.utf8.contains(UInt8(ascii: ":")) else {
                throw value.error("\"\(text)\" is no address", remedy: "write 10.0.0.1 or fd00::1")
            }
            if !addresses.contains(Prefix(host: address)) { addresses.append(Prefix(host: address)) }
        }
        return (addresses, try entry("phase")?.text("phase"))
    }
}

/// Named ports.
extension PodReader {
    /// The named ports of all containers that run as long as the pod: the usual ones, and initial ones that are restarted always. A
    /// name that two of them give to different ports means neither.
    private func services(
        _ spec: YAMLMapping, _ pod: ObjectName, _ ledger: inout Ledger
    ) throws(PolicyError) -> [String: ServiceRange] {
        var services: [String: ServiceRange] = [:]
        var doubtful: Set<String> = []
        for key in ["containers", "initContainers"] {
            for item in try spec.given(key)?.list(key) ?? [] {
                let fields = try item.mapping("a container", keys: ["name", "ports", "restartPolicy"] + Self.ignoredOfContainer)
                let restarts = try fields.given("restartPolicy")?.text("restartPolicy")
                let isLasting = key == "containers" || restarts == "Always"
                for port in try fields.given("ports")?.list("ports") ?? [] {
                    guard let (name, place, range) = try service(port), isLasting else { continue }
                    guard let known = services[name], known != range else {
                        services[name] = range
                        continue
                    }
                    guard doubtful.insert(name).inserted else { continue }
                    let text = "two ports of Pod \(pod) are called \"\(name)\", and a name means one port"
                    if portNames.contains(name) {
                        try ledger.lose(place, text, remedy: "rename one of them")
                    } else {
                        ledger.ignore(place, text)
                    }
                }
            }
        }
        return services.filter { !doubtful.contains($0.key) }
    }

    /// A container's port with its name; `nil` for one without a name, which no policy can speak of.
    private func service(
        _ value: YAMLValue
    ) throws(PolicyError) -> (name: String, place: Place, range: ServiceRange)? {
        let fields = try value.mapping(
            "a port of a container", keys: ["containerPort", "hostIP", "hostPort", "name", "protocol"])
        let number = try fields.required("containerPort").integer("containerPort", in: 1...65_535)
        let carrier = try KubernetesProtocol.read(fields.given("protocol"))
        guard let value = fields.given("name") else { return nil }
        let name = try value.text("the name of a port")
        if name.isEmpty { return nil }
        guard KubernetesNames.isPortName(name) else { throw KubernetesNames.portError(name, value.place) }
        return (KubernetesNames.service(name), value.place, ServiceRange(carrier.number, ports: UInt16(number)...UInt16(number)))
    }
}
