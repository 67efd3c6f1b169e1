// SPDX-License-Identifier: Apache-2.0
internal import API
internal import CoreFoundation  // owns struct stat and timespec where the compiler meets it before Glibc
internal import FoundationEssentials
internal import Glibc
internal import Layout
public import Policy
internal import PolicyText
internal import Sandbox

extension Configuration {
    /// A user that a process is to run as, by name: which number it has is asked on the machine, when processes start.
    public struct UserName: Sendable {
        /// The name.
        public var name: String
        /// Where it is written.
        public var place: Place

        /// The user's numbers. Throws where the machine has no such user, or it is root.
        func identity() throws(PolicyError) -> Identity {
            guard let identity = Identity(named: name) else {
                throw PolicyError(
                    place, "there is no user \"\(name)\"", remedy: "make one: useradd --system --user-group \(name)")
            }
            guard identity.user != 0, identity.group != 0 else {
                throw PolicyError(
                    place, "user \"\(name)\" is root, or has its group", remedy: "make one of its own, or leave the key out")
            }
            return identity
        }
    }

    /// Looks whether the users that it names are there and may be taken, as a start would. Throws for one that is not there, for root,
    /// and where both processes would be one.
    public func checkUsers() throws(PolicyError) { _ = try preparation() }

    /// What keeper is to prepare before anything else: the plan, with folders, users and sandbox. Throws where a user is not there.
    func preparation() throws(PolicyError) -> Plan {
        var plan = plan
        plan.stateFolderPath = state
        plan.sandbox = UInt32(sandbox.rawValue)
        plan.sharesProcessors = processors == .shared ? 1 : 0
        if let user = dataUser {
            let identity = try user.identity()
            (plan.dataUser, plan.dataGroup) = (identity.user, identity.group)
        }
        if let user = controlUser {
            let identity = try user.identity()
            (plan.controlUser, plan.controlGroup) = (identity.user, identity.group)
            if plan.dataUser == plan.controlUser {
                throw PolicyError(user.place, "data and control would be one user", remedy: "give each its own")
            }
        }
        return plan
    }

    /// Which files control may reach, once it has read this: what the configuration names, and what libraries read of the system. A
    /// file that is named by itself is read by its folder, because editors and tools put a new one in its place.
    var fileRules: FileRules {
        // Of /proc all, because the kernel makes the folders of processes and threads anew as it likes, and a rule holds for the
        // one that was there: libdispatch looks at its threads, and ends the process where it cannot. What is another process's
        // secret stays one.
        let system = [
            "/etc/localtime", "/usr/share/zoneinfo", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/nsswitch.conf",
            "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/passwd", "/etc/group", "/etc/ssl", "/etc/ld.so.cache",
            "/lib",
            "/lib64", "/usr/lib", "/run/systemd/resolve", "/proc", "/sys/fs/cgroup", "/sys/devices/system", "/dev/urandom",
            "/dev/random",
        ]
        let secure = api.tls.map { [$0.certificate, $0.key, $0.clientAuthority] } ?? []
        let own = ([file] + policies + workloads + secure).flatMap(Self.folders)
        let log = records.file.map { [Self.parent(of: $0)] } ?? []
        return FileRules(readable: system + own, writable: [state, Self.parent(of: socket), "/dev/null"] + log)
    }

    /// The folder that holds what is at a path: the path itself where it is a folder, and both ends of a symbolic link.
    private static func folders(of path: String) -> [String] {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return [parent(of: path)] }
        if isFolder { return [path] }
        var room = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let real =
            unsafe realpath(path, &room) != nil
            ? String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : path
        return [parent(of: path), parent(of: real)]
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension ConfigurationReader {
    /// The keys about processes: `users`, `sandbox` and `processors`.
    func processes(_ result: inout Configuration) throws(PolicyError) {
        if let value = root["users"] {
            let fields = try value.mapping("users", keys: ["data", "control"])
            result.dataUser = try user(fields, "data")
            result.controlUser = try user(fields, "control")
        }
        if let value = root["sandbox"] {
            let word = try value.text("sandbox")
            guard let mode = SandboxMode(word: word) else {
                let words = SandboxMode.allCases.map(\.word)
                throw value.error(
                    "sandbox is \"\(word)\"",
                    remedy: Spelling.remedy(word, among: words) ?? "choose from \(words.joined(separator: ", "))")
            }
            result.sandbox = mode
        }
        if let value = root["processors"] {
            result.processors = try value.choice("processors", of: Configuration.Processors.self)
        }
    }

    private func user(_ fields: YAMLMapping, _ key: String) throws(PolicyError) -> Configuration.UserName? {
        guard let value = fields[key] else { return nil }
        let name = try value.text("users.\(key)")
        guard (1...32).contains(name.utf8.count), name.utf8.allSatisfy({ (33...126).contains($0) && $0 != UInt8(ascii: ":") })
        else {
            throw value.error(
                "\"\(name)\" is no user's name", remedy: "write the name that stands in the system's table of users")
        }
        return Configuration.UserName(name: name, place: value.place)
    }
}
