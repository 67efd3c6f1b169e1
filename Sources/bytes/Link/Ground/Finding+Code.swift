// SPDX-License-Identifier: Apache-2.0

extension Finding {
    /// Every kind of finding. The names are part of the interface: they stand in `--json`, in the log and in docs/doctor.md.
    public enum Code: String, Sendable, CaseIterable {
        // The machine.
        case bpfFileSystem
        case capabilityMissing
        case featureMissing
        case featureUnknown
        case fewHugePages
        case jitOff
        case kernelTooOld
        case lockedMemory
        case sharedCPUs
        case tooFewCPUs
        case tooLittleMemory
        case tooManyQueues
        // The pair.
        case mtuDiffers
        case nodesDiffer
        case queuesDiffer
        case samePort
        case spreadingAsymmetric
        case spreadingDiffers
        // The port.
        case busyPollUnprepared
        case foreignProgram
        case hardwareGRO
        case kindRefused
        case largeReceive
        case linkDown
        case memberOfMaster
        case mtuTooLarge
        case notPromiscuous
        case portMissing
        case queuesRefused
        case receiveVLAN
        // The host behind the port.
        case hostAddresses
        case hostForwards
        case hostRoute
        case hostSpeaks
        // The far end of a veth.
        case farEndChecksum
        case farEndGRO
        case farEndHidden
        case farEndMTU
        case farEndQueues
        case farEndSegmentation
        case farEndVLAN
        // The driver.
        case carrierBlinks
        case deepRing
        case enaChannels
        case enaZeroCopy
        case i40eBusyPoll
        case iceKill
        case ixgbeBusyPoll
        case mlx5QueueTwins
        case mlx5SmallFrames
        case noNativeXDP
        case noZeroCopy
        case stmmacStall
        case virtioQueues
        case virtualFunction
        case zeroCopyYounger
        // Where it is plugged in.
        case farCPUs
        case interruptsTogether
        case iommuTranslates
        case pciNarrow
        case pciSlow
        // The self-test.
        case selfTestFailed
        case selfTestUnable
    }
}
