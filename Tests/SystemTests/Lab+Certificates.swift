// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Lab {
    /// What `openssl req` makes a key by.
    private static let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

    /// Makes an authority of servers, one of clients, and a certificate of each (`appliance` and a client's), in a folder; by default the
    /// laboratory's.
    func certify(client: String, in place: String? = nil) throws {
        var script = "set -e; cd '\(place ?? folder.path)'; umask 022\n"
        for name in ["servers", "clients"] {
            script += "openssl req -x509 \(Self.key) -keyout \(name).key -out \(name).pem -days 2 -subj /CN=\(name) "
            script += "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign\n"
        }
        script += Self.signed("appliance", by: "servers", for: "serverAuth")
        script += Self.signed(client, by: "clients", for: "clientAuth")
        try Command.run("sh", "-c", script + "chmod 0644 *.key\n")
    }

    /// Makes the appliance another key and certificate and puts them into the places of the old ones, as tools do that rotate them.
    func rotateCertificate(in place: String) throws {
        var script = "set -e; cd '\(place)'; mkdir -p next; cp servers.* next; cd next; umask 022\n"
        script += Self.signed("appliance", by: "servers", for: "serverAuth")
        script += "chmod 0644 appliance.key; mv appliance.key appliance.pem ..\n"
        try Command.run("sh", "-c", script)
    }

    /// The lines of a script that make a certificate for 127.0.0.1.
    private static func signed(_ name: String, by authority: String, for use: String) -> String {
        """
        openssl req \(key) -keyout \(name).key -out \(name).csr -subj /CN=\(name)
        printf 'extendedKeyUsage=\(use)\\nsubjectAltName=IP:127.0.0.1\\n' > \(name).ext
        openssl x509 -req -in \(name).csr -CA \(authority).pem -CAkey \(authority).key -CAcreateserial -days 1 \
        -extfile \(name).ext -out \(name).pem

        """
    }
}
