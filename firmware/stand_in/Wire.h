#pragma once
#include "Arduino.h"

struct TwoWire {
    uint8_t written[8], at = 0;
    size_t count = 0;
    void begin() {}
    void setClock(int) {}
    void beginTransmission(uint8_t) { count = 0; }
    void write(uint8_t value) { written[count++] = value; }
    void write(const uint8_t *data, size_t size)
    {
        for (size_t i = 0; i < size; i++)
            write(data[i]);
    }
    int endTransmission(bool = true)
    {
        at = written[0];
        bool was = measuring();
        for (size_t i = 1; i < count; i++)
            registers[at + i - 1] = written[i];
        if (measuring() && !was)
            next_sample = now + PERIOD;
        return 0;
    }
    int requestFrom(uint8_t, uint8_t size)
    {
        // Every STALL-th read takes 45 ms: something else had the processor.
        static long reads;
        long stall = setting("STALL");
        reads++;
        if (stall && reads % stall == 0)
            pass(now + 45000.0);
        long fail = setting("FAIL");
        return fail && reads % fail == 0 ? 0 : size;
    }
    uint8_t read() { return registers[at++]; }
};
static TwoWire Wire1;
