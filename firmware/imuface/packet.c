#include "packet.h"

enum { VERSION = 1, CONTENT = 22 };

/* CRC-16/IBM-3740 */
static uint16_t crc16(const uint8_t *data, size_t size)
{
    uint16_t crc = 0xFFFF;
    while (size--) {
        crc ^= (uint16_t)(*data++ << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static uint8_t *put8(uint8_t *at, unsigned value)
{
    *at = (uint8_t)value;
    return at + 1;
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    return put8(put8(at, value & 0xFF), value >> 8 & 0xFF);
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value & 0xFFFF), value >> 16);
}

static uint8_t *put_imu(uint8_t *at, const int16_t imu[6])
{
    for (int i = 0; i < 6; i++)
        at = put16(at, (uint16_t)imu[i]);
    return at;
}

static unsigned version_and_ear(int right)
{
    return VERSION << 4 | (right ? 1 : 0);
}

void encode_frame(uint8_t frame[FRAME_SIZE], int right, uint16_t sequence, const struct imu_sample *sample,
                  uint8_t battery)
{
    uint8_t content[CONTENT], *at = content;
    at = put8(at, version_and_ear(right));
    at = put16(at, sequence);
    at = put32(at, sample->time_us);
    at = put_imu(at, sample->imu);
    at = put8(at, battery);
    put16(at, crc16(content, CONTENT - 2));

    size_t code = 0; /* where the distance to the next zero goes; one code byte does for less than 254 */
    for (size_t i = 0; i < CONTENT; i++) {
        frame[i + 1] = content[i];
        if (content[i] == 0) {
            frame[code] = (uint8_t)(i + 1 - code);
            code = i + 1;
        }
    }
    frame[code] = (uint8_t)(CONTENT + 1 - code);
    frame[CONTENT + 1] = 0;
}

size_t encode_packet(uint8_t *packet, int right, uint16_t sequence, const struct imu_sample *samples, size_t count,
                     uint8_t battery)
{
    uint8_t *at = packet;
    at = put8(at, version_and_ear(right));
    at = put8(at, battery);
    at = put16(at, sequence);
    at = put32(at, samples[0].time_us);
    for (size_t i = 0; i < count; i++) {
        at = put16(at, i ? samples[i].time_us - samples[i - 1].time_us & 0xFFFF : 0);
        at = put_imu(at, samples[i].imu);
    }
    at = put16(at, crc16(packet, (size_t)(at - packet)));
    return (size_t)(at - packet);
}
