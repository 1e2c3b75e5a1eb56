/* What an earphone sends: frames for serial ports and UDP, packets for Bluetooth LE (docs/device-protocol.md).
 * Plain C99 without a library; the tests of imuface_driver compile it and decode what it makes. */
#ifndef IMUFACE_PACKET_H
#define IMUFACE_PACKET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    FRAME_SIZE = 24,
    PACKET_MOST = 16, /* samples in a packet: more do not fit an ATT MTU of 247 */
    BATTERY_UNKNOWN = 255,
};

#define PACKET_SIZE(samples) (10 + 14 * (samples))

struct imu_sample {
    uint32_t time_us; /* of the device's clock, wraps */
    int16_t imu[6];   /* acceleration x, y, z at 0.122 mg, angular velocity x, y, z at 17.50 mdps */
};

/* One sample with its number and the charge in percent. */
void encode_frame(uint8_t frame[FRAME_SIZE], int right, uint16_t sequence, const struct imu_sample *sample,
                  uint8_t battery);

/* Samples that follow one another without a gap, the first of which has the number `sequence`; at most PACKET_MOST,
 * and less than 65.536 ms from each to the next. Returns the bytes of the packet. */
size_t encode_packet(uint8_t *packet, int right, uint16_t sequence, const struct imu_sample *samples, size_t count,
                     uint8_t battery);

#ifdef __cplusplus
}
#endif

#endif
